"""partner-bank-api: the sandbox of another bank, with a book of its own."""
