"""account-service: accounts, holds and the double-entry ledger."""
