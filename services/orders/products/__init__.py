"""Projection of the catalog's products: what may be offered, in which units and steps, and who must be licensed for it."""
