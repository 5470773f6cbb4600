"""The public door: login, tokens, rate limits, payload encryption, validation."""
