"""Whom a company lets see its events: all of them from a time on, or those along the chain of custody of one thing."""
