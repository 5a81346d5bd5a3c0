"""The ledger: accounts, journals and postings, and the one way in which money moves."""
