"""Projection of the catalog's markets: what the platform takes."""
