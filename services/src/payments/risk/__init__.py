"""Risk of a payment: verification, sanctions, rules."""
