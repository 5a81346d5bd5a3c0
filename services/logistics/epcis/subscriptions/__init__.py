"""Standing queries: results are pushed to a subscriber's address as events come, or when a schedule says so."""
