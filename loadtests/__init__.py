"""Load tests and the journeys they drive: everything here talks to the platform over its public HTTP API alone."""
