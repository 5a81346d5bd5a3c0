"""Licences of companies: recorded by the operator or claimed with proof, in force from their beginning to their end."""
