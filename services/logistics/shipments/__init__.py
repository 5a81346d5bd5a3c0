"""Deliveries: one truck each, from loading to arrival."""
