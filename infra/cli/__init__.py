"""The command line ``haihe``: running the platform, looking after its messages, and what an operator does by hand."""
