"""Choosing a password by a one-time token: after an invitation, or when the old one is forgotten."""
