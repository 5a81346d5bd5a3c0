"""The paper of what was settled: the seller's tax invoice, which it records here, and the platform's own for its fee."""
