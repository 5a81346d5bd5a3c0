"""A simulated site on a running platform: its gates and readers set up over the API, its trucks played, and what came of them."""
