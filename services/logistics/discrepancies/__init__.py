"""Discrepancies: what did not fit at a gate, and who closed it."""
