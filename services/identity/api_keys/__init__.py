"""Keys for machines: made by an administrator, exchanged for short tokens here, and seen by no other service."""
