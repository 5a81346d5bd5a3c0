"""Tests of settlement over its API and its events."""
