"""What a buyer and a seller promised each other, from the take to the last settled delivery."""
