"""confirm-service: the life of a payment, from its creation to its refunds."""
