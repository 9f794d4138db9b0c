"""What toggles cost: prices of a library, memories, the ledger."""
