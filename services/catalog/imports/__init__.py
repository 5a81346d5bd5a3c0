"""Uploads: what sellers send as files, checked by row and column."""
