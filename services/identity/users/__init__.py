"""People who act for a company or for the platform: invited, given roles, deactivated when they leave."""
