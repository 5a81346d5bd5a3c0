"""Money that came in by bank: credited to the company that sent it, or in suspense until somebody knows whose it is."""
