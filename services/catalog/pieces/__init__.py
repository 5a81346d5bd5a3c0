"""Pieces: single tracked things (a coil, a bundle) that companies own and warehouses keep."""
