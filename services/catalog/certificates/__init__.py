"""Certificates: the files that prove of which heat a piece is and how it was tested, and who may fetch them."""
