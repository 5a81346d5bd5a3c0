"""Stock-takes: somebody goes through a zone or a warehouse with a handheld, and what is there is held against what should be."""
