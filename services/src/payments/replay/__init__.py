"""Sending events once more: dead letters after their cause is gone, or an owner's outbox."""
