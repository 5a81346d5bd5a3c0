"""Projection of identity's companies: what a seller and a warehouse are called."""
