"""How Kafka is reached: its addresses, with TLS and a login or without."""

import ssl
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Brokers:
    """``servers`` as host:port, separated by commas; without a ``username`` nobody logs in.

    ``mechanism`` is SASL's: SCRAM-SHA-512, SCRAM-SHA-256 (RFC 5802) or PLAIN (RFC 4616).
    """

    servers: str
    tls: ssl.SSLContext | None = None
    mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)

    def options(self) -> dict[str, Any]:
        """The arguments of any of aiokafka's clients."""
        encrypted = self.tls is not None
        found: dict[str, Any] = {"bootstrap_servers": self.servers}
        if encrypted:
            found["ssl_context"] = self.tls
        if self.username:
            found |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
            return found | {"security_protocol": "SASL_SSL" if encrypted else "SASL_PLAINTEXT"}
        return found | {"security_protocol": "SSL" if encrypted else "PLAINTEXT"}


def options(where: Brokers | str) -> dict[str, Any]:
    """The arguments of a client; a bare text is the addresses of brokers that ask for nothing."""
    return (Brokers(where) if isinstance(where, str) else where).options()


def trusting(authority: str) -> ssl.SSLContext:
    """TLS with this certificate of an authority, in PEM, alone; empty: with those of the system.

    Raises ssl.SSLError for what is no certificate.
    """
    return ssl.create_default_context(cadata=authority or None)
