"""Projection of identity's companies: who may trade with whom."""
