"""Projection of the catalog's markets: what terms may be."""
