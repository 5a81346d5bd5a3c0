"""The keys that tokens are signed with: announced before use, retired when no token of theirs can be alive."""
