"""Runs Haihe on a machine: the embedded platform, the command line, images and compose files."""
