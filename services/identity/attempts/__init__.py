"""How often something that could be guessed was tried, over all processes: what logins are limited by."""
