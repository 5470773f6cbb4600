"""The services of the payment platform."""
