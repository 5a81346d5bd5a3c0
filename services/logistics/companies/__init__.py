"""Projection of identity's companies: by which GS1 numbers each is known."""
