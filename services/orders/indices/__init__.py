"""Projection of the catalog's price indices: the figures that the price of an offer may be made of."""
