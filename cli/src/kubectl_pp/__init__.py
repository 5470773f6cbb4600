"""kubectl pp: look after PaymentPlatforms from the command line."""
