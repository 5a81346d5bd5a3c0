"""Notices of recalls, mailed to the people of the company that holds recalled goods."""
