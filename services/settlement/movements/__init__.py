"""What Stripe moved of a card payment's money: its fee, refunds, disputes, each posted once."""
