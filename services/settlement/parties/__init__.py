"""Projection of identity's companies: by which reference their money comes, from and to which bank accounts."""
