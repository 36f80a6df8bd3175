"""Decides which hosts a connection may reach.

A name is resolved once, all its addresses are tested, and the caller connects to a tested address. So a name gains
nothing if it resolves to another address later.
"""

from __future__ import annotations

import ipaddress
import re
import socket

from sqlchat.errors import ConnectionConfigError

HOST_NAME = re.compile(r"(?=.{1,253}\.?\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}\.)*[A-Za-z0-9_-]{0,63}\.?")
LOOKS_NUMERIC = re.compile(r"(0[xX][0-9a-fA-F]*|\d+)(\.(0[xX][0-9a-fA-F]*|\d+))*\.?")
METADATA = frozenset(
    ipaddress.ip_address(address)
    for address in ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254")
)
"""Metadata and platform services of clouds outside the link-local range."""
THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
NOT_GLOBAL = tuple(
    map(ipaddress.ip_network, ("100.64.0.0/10", "fec0::/10", "3fff::/20", "192.0.0.0/24", "2001::/23"))
)
"""Carrier-grade NAT, site-local, documentation and protocol assignments: `is_global` lets them through in part."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def resolve(host: str, port: int, allow_private: bool) -> str:
    """Return the tested address to connect to. `host` is a name, or an address in its usual notation.

    `allow_private` allows loopback and private networks. Raises ConnectionConfigError that names the reason, but not
    the addresses of a name, since they describe our own network.
    """
    if not 1 <= port <= 65535:
        raise ConnectionConfigError("port: must be between 1 and 65535.")
    addresses = [_read_literal(host)] if _is_literal(host) else _look_up(host, port)
    for address in addresses:
        _refuse_address(address, allow_private)
    return str(addresses[0])


def _is_literal(host: str) -> bool:
    return ":" in host or LOOKS_NUMERIC.fullmatch(host) is not None


def _read_literal(host: str) -> Address:
    """Read an address in its usual notation; other programs also read `127.1`, `0x7f000001` and zone ids."""
    try:
        address = ipaddress.ip_address(host[1:-1] if re.fullmatch(r"\[.*:.*\]", host) else host)
    except ValueError:
        address = None
    if address is None or getattr(address, "scope_id", None):
        raise ConnectionConfigError("host: this is not an address in its usual notation, such as 192.0.2.10.")
    return address


def _look_up(host: str, port: int) -> list[Address]:
    if host.startswith(("/", "@")):
        raise ConnectionConfigError("host: sockets are not supported; name a host.")
    if "," in host:
        raise ConnectionConfigError("host: name one host, not a list.")
    if not HOST_NAME.fullmatch(host):
        raise ConnectionConfigError("host: this is not a host name.")
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConnectionConfigError("host: no address is known for this name.") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries]
    return sorted(addresses, key=lambda address: address.version)


def _refuse_address(address: Address, allow_private: bool) -> None:
    inner = _unwrap_address(address)
    if inner.is_link_local or inner in METADATA:
        raise ConnectionConfigError("host: link-local and metadata addresses cannot be reached.")
    is_reserved = inner.is_reserved and not inner.is_loopback
    if inner.is_multicast or inner.is_unspecified or is_reserved or inner in THIS_NETWORK:
        raise ConnectionConfigError("host: this address belongs to no database server.")
    is_public = inner.is_global and not inner.is_private and not any(inner in network for network in NOT_GLOBAL)
    if not allow_private and not is_public:
        raise ConnectionConfigError(
            "host: loopback and private addresses cannot be reached here; SQLCHAT_PRIVATE_HOSTS=true would allow it."
        )


def _unwrap_address(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for (mapped, 6to4, Teredo's client, NAT64), or itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
