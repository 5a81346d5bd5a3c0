"""Trails: where a piece is and where it has been."""
