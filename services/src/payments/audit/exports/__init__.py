"""Copies of the trail in other stores, made from PostgreSQL: a search index, and points in time."""
