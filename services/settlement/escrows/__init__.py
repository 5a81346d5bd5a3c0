"""The buyer's payment of a deal: taken into escrow, paid out by delivery, or returned."""
