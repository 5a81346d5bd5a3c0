"""Tests of the rules of settlement."""
