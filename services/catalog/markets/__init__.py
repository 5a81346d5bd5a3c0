"""Markets: each an industry as data, read from a pack and told to the other services."""
