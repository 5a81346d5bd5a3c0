"""Signing in with a password, staying signed in by refresh tokens, and signing out."""
