"""Cancellations: both sides of a deal let go of a part that is paid and not yet delivered."""
