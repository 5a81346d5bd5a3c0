"""Companies: admitted by the operator, with identifiers, registered bank accounts and controlling group."""
