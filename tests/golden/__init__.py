"""A fixed catalog of many trades, and what traders type to find things in it: every engine must find the same."""
