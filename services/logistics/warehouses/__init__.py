"""Gates: where a warehouse's readers see goods leave."""
