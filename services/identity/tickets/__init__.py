"""Tickets: the right to open one stream where a browser cannot send a token."""
