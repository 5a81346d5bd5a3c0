"""What orders asks for: parts of a deal given back, and the end of its deliveries. Recalls of bad goods are ``lot_recalls``."""
