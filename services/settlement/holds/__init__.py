"""Deposits of a deal: held on both sides or on none, and each hold resolved once."""
