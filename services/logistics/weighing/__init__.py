"""Weigh tickets: what a scale said at either end of a delivery."""
