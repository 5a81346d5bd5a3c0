"""Milestones of deliveries: a timeline folded from EPCIS events of any source, with what is planned and what is estimated."""
