"""From tag reads to passages: what went through a gate, and when."""
