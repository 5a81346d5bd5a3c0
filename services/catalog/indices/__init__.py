"""Price indices: what a market's reference goods cost on a working day, from the deals that companies signed and kept."""
