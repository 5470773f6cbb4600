"""Webhooks: telling merchants what happens to their payments."""
