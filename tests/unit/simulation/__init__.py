"""The simulation that users run."""
