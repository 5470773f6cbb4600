"""The address of the client, which rate limits count by."""

import hmac
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

from payments.common.middleware import header


class Addresses:
    """Believes X-Forwarded-For and X-Forwarded-Proto of the load balancer alone, who proves itself.

    Args:
        token: what the load balancer sends as X-Load-Balancer-Token; empty believes nobody.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def trusted(self, scope: Scope) -> bool:
        """True when the load balancer sent the request."""
        given = header(scope, b"x-load-balancer-token")
        return bool(self._token) and given is not None and hmac.compare_digest(given.encode(), self._token)

    def client(self, scope: Scope, *, trusted: bool) -> str:
        """The client's IPv4 address or IPv6 /64, which is what one customer of a provider gets."""
        peer: str = scope["client"][0] if scope.get("client") else ""
        forwarded = header(scope, b"x-forwarded-for") if trusted else None
        if forwarded:
            # The load balancer appends what it saw itself; what stands before may be invented.
            return _normal(forwarded.rpartition(",")[2].strip()) or _normal(peer)
        return _normal(peer)


@lru_cache(4096)
def _normal(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)
