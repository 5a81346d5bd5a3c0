"""What a delivery came to beyond its escrow and the buyer's deposit: a payment of its own with its own due date."""
