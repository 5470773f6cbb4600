"""The audit trail: one hash chain over all events."""
