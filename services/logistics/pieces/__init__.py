"""Projection of the catalog's pieces: whose they are, where they are kept and which tag they wear."""
