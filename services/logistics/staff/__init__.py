"""Projection of identity's users: who works where, so that tasks are given to somebody who is there."""
