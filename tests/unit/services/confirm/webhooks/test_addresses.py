"""Where webhooks may go: URLs as they are written, addresses as they are connected to."""

import socket
from ipaddress import ip_address, ip_network

import pytest

from payments.confirm.webhooks.addresses import AddressRefused, Guard, is_public

STRICT = Guard(https_only=True, allow_private=False)
DEV = Guard(https_only=False, allow_private=True)

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.96.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.20.10",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.15.0.1",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700:4700::1111",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_way_inside(address: str) -> None:
    found = ip_address(address)
    assert not is_public(found)
    family = socket.AF_INET if found.version == 4 else socket.AF_INET6
    with pytest.raises(AddressRefused):
        STRICT.socket((family, socket.SOCK_STREAM, 6, "", (address, 443)))
    literal = address if found.version == 4 else f"[{address}]"
    assert STRICT.fault(f"https://{literal}/x") is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_open(address: str) -> None:
    found = ip_address(address)
    assert is_public(found)
    family = socket.AF_INET if found.version == 4 else socket.AF_INET6
    STRICT.socket((family, socket.SOCK_STREAM, 6, "", (address, 443))).close()


def test_a_zone_is_no_way_around() -> None:
    with pytest.raises(AddressRefused):
        STRICT.socket((socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%eth0", 443, 0, 2)))


def test_a_cluster_with_public_addresses_can_name_them() -> None:
    denied = (ip_network("11.0.0.0/8"), ip_network("2600:1f00::/24"))
    guard = Guard(https_only=True, allow_private=False, denied=denied)
    assert STRICT.fault("https://11.1.2.3/") is None
    assert guard.fault("https://11.1.2.3/") is not None
    assert not is_public(ip_address("::ffff:11.1.2.3"), denied)
    assert not is_public(ip_address("2600:1f00::1"), denied)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/",
        "ftp://shop.example.com/",
        "//shop.example.com/",
        "https://",
        "https:///x",
        "https://user@shop.example.com/",
        "https://user:pass@shop.example.com/",
        "https://shop.example.com#x",
        "https://shop.example.com/#x",
        "https://shop.example.com\\@127.0.0.1/",
        "https://shop.example.com/ x",
        "https://shop.example.com/\n",
        "https://shop.example.com:22/",
        "https://shop.example.com:8443/",
        "https://shop.example.com:0/",
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://api.localhost/",
        "https://postgres/",
        "https://api-gateway:443/",
        "https://kubernetes.default.svc/",
        "https://account-service.payments.svc.cluster.local/",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://017700000001/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://shop_example.com/",
        "https://-shop.example.com/",
        "https://shop..example.com/",
        "https://münchen.example/",
        "https://shop.example.com/" + "a" * 2048,
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    assert STRICT.fault(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com",
        "https://shop.example.com/",
        "https://shop.example.com./webhooks",
        "https://SHOP.example.com:443/webhooks?tenant=7&a=%20",
        "https://xn--mnchen-3ya.example/hook",
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]/hook",
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    assert STRICT.fault(url) is None


def test_development_takes_plain_http_and_any_port() -> None:
    for url in (
        "http://127.0.0.1:4242/x",
        "http://receiver:8080/",
        "http://localhost:1/",
        "https://[::1]:9/",
    ):
        assert DEV.fault(url) is None
        assert STRICT.fault(url) is not None
    for url in ("http://a:99999/", "http://u@a/", "http://a/#x"):
        assert DEV.fault(url) is not None
