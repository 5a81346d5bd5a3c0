"""What people say instead of a gate: pieces entered by barcode or number, tags put on and taken off, corrections of events."""
