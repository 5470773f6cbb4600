"""What can be done with payments, one file a use case."""
