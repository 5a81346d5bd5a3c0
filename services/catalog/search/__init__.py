"""Finds offers: a projection of what is on offer, an index made from it, and the question that anybody may ask."""
