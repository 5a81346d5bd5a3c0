"""Projection of the catalog's pieces, and to which offer or deal each one is promised."""
