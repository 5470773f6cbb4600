"""What every service stands on. It takes settings as arguments and knows no service."""
