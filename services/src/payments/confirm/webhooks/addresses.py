"""Where webhooks may go: public addresses of the internet, never into the platform's own networks.

URLs are checked when they are written, so that a mistake is told at once. What counts is the check of the
very address that is connected to, at the moment of each connection: names can change what they resolve to.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL = 2048
# One strict form, which no two parsers can read in two ways: no user, no fragment, no escapes in the host.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:[/?][!$-;=?-Z_a-z~]*)?"
)
# Names that mean something inside a cluster or a cloud, and nothing on the internet (RFC 6761, RFC 6762).
_INSIDE = ("localhost", "local", "internal", "svc", "cluster.local", "localdomain", "home.arpa", "intranet")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# Global by the registries, and yet no place on the internet for a merchant's server.
_NEVER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carriers' own, pods of some clouds, metadata of one
        "168.63.129.16/32",  # Azure's platform address
        "192.0.0.0/24",
        "192.88.99.0/24",
        "::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/32",  # Teredo
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


class AddressRefused(OSError):
    """The address of a connection is none that webhooks may go to."""


def is_public(address: Address, denied: Iterable[Network] = ()) -> bool:
    """Whether it is a unicast address of the internet, also when it is wrapped in an IPv6 address.

    Args:
        denied: further networks that are not.
    """
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner, denied)
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address in network for network in (*_NEVER, *denied) if network.version == address.version)


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class Guard:
    """Says which URLs and addresses are allowed.

    Args:
        https_only: no plain HTTP.
        allow_private: any address and port, for development and tests.
        denied: networks that are refused although they are public by the registries.
    """

    def __init__(self, *, https_only: bool, allow_private: bool, denied: Iterable[Network] = ()) -> None:
        self._https_only = https_only
        self._allow_private = allow_private
        self._denied = tuple(denied)

    def fault(self, url: str) -> str | None:
        """What is wrong with a URL, in words for its author; None when nothing is."""
        parts = _URL.fullmatch(url)
        if parts is None or len(url) > MAX_URL:
            schemes = "https://" if self._https_only else "http:// or https://"
            return f"must be {schemes}host[:port][/path][?query], without user, fragment or white space"
        if self._https_only and parts["scheme"] != "https":
            return "must begin with https://"
        if parts["port"] is not None and not 1 <= int(parts["port"]) <= 65535:
            return "names no possible port"
        host = parts["host"].rstrip(".").lower()
        if host.startswith("["):
            return self._literal_fault(host[1:-1])
        if re.fullmatch(r"[0-9.]+|.*\.[0-9]+|0x[0-9a-f]*", host):
            return self._literal_fault(host)
        labels = host.split(".")
        if not all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) for label in labels):
            return "names no possible host"
        if self._allow_private:
            return None
        if parts["port"] not in (None, "443") and not (parts["scheme"] == "http" and parts["port"] == "80"):
            return "must use port 443"
        if len(labels) == 1 or any(host == name or host.endswith(f".{name}") for name in _INSIDE):
            return "must name a host of the internet"
        return None

    def _literal_fault(self, text: str) -> str | None:
        try:
            address = ip_address(text)
        except ValueError:
            return "names no possible host"
        return None if self._allowed(address) else "must not be an address of a private or special network"

    def _allowed(self, address: Address) -> bool:
        return self._allow_private or is_public(address, self._denied)

    def socket(self, info: tuple[Any, ...]) -> socket.socket:
        """The socket for a connection to an address as `getaddrinfo` gives it. Raises AddressRefused.

        The connection is made to this very address, so nothing can come between the check and its use.
        """
        family, kind, protocol, _, where = info
        address = ip_address(str(where[0]).partition("%")[0])
        if not self._allowed(address):
            raise AddressRefused("the address is not allowed")
        return socket.socket(family, kind, protocol)
