"""Projection of orders's deals: what is to be carried for whom, and until when."""
