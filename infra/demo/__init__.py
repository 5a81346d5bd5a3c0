"""Sample data: the trades that ``make run`` and ``haihe demo`` play, and the people who played them."""
