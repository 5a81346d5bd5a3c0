"""Products: what companies trade in, described with the attributes of their market, by lots and in variants."""
