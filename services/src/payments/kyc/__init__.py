"""Customers and their verification."""
