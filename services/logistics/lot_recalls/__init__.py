"""Recalls of bad goods: from one lot or thing to everybody who holds it or what was made of it, with notices and their answers."""
