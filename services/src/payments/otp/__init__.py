"""One-time passwords, each bound to one payment."""
