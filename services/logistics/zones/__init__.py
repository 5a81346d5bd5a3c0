"""Zones of a warehouse, and which tags are in them: by readers that stay, or by handheld readers that come by."""
