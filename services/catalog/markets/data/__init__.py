"""What no library has, as small tables of data: each module names its source and has a function to look it up by."""
