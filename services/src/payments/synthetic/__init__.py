"""Payments by a customer who is nobody, to see whether payments go through."""
