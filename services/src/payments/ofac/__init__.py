"""Sanctions screening of customers and counterparties."""
