"""The agreement of a deal: a frozen text, its hash, and who signed it."""
