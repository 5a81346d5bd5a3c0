"""What every service stands on. Knows no industry and no service."""
