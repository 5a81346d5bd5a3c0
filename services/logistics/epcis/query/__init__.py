"""The EPCIS 2.0 query language: from parameters to a question, and from the question to the events that answer it."""
