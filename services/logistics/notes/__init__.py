"""Pick-up notes: which goods of a deal a truck may fetch, and by which code."""
