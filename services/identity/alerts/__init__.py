"""What saved searches found, mailed to who saved them: what matches within a minute goes into one mail."""
