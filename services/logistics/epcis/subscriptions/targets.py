"""Where a push may go: public addresses alone, whatever the name of a host is answered with. Pure, but for the look-up.

A subscriber chooses the address, so it may try to make us ask what only we can reach: ourselves, the machines beside us, the
cloud's metadata. Every answer of the look-up is checked, and the connection is made to the very address that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

import msgspec

LONGEST = 2_000
PORTS = {"https": 443, "http": 80}
FIRST_FREE_PORT = 1_024
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")


class TargetRefused(ValueError):
    """A push may not go there; the message says why."""


class Target(msgspec.Struct, frozen=True):
    """An address of the web that was found well-formed."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def read_target(url: str, *, private: bool) -> Target:
    """The target of an address. Raises TargetRefused for what is none, or is private by its look where that is not allowed."""
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise TargetRefused(f"dest is an address of the web of at most {LONGEST} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise TargetRefused("dest is not an address of the web") from None
    if parts.scheme not in (("https", "http") if private else ("https",)) or not parts.hostname:
        raise TargetRefused("dest begins with https:// and names a host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise TargetRefused("dest has no user, no password and no fragment")
    port = PORTS[parts.scheme] if port is None else port
    if not private and port != PORTS[parts.scheme] and port < FIRST_FREE_PORT:
        raise TargetRefused(f"port {port} is none that webhooks are sent to")
    target = Target(parts.scheme, parts.hostname, port, _path_of(parts))
    if not private:
        _check_look(target.host)
    return target


def find_address(target: Target, *, private: bool) -> str:
    """The address to connect to. Raises TargetRefused when there is none, or any answer of the look-up is private.

    Which of the two it is stays with us: the subscriber would learn what names there are inside, and where they lead.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        found = []
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not (private or all(map(is_public, addresses))):
        raise TargetRefused(f"{target.host} leads to no public address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet, also where it carries another one inside."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and (ip in _COMPATIBLE or any(ip in network for network in _NAT64)):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _check_look(host: str) -> None:
    """Names that are private without a look-up, so that the subscriber is told at once."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal", ".home.arpa")):
        raise TargetRefused(f"{host} is no public host")
    try:
        # Also 127.1, 0x7f000001 and 2130706433, which the system's look-up takes for addresses.
        address = socket.inet_ntoa(socket.inet_aton(name))
    except OSError:
        address = name if ":" in name else ""
    if address and not is_public(address):
        raise TargetRefused(f"{host} is no public address")


def _path_of(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
