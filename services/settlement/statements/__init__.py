"""Settlement statements (结算单): who got what of a deal and why, line by line, equal to the ledger to the cent."""
