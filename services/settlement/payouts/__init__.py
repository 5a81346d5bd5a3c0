"""Withdrawals to a company's registered bank account."""
