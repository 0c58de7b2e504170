"""Sends signed events to a URL, and to nowhere that the URL only pretends to be.

The name is resolved once, every address it has is judged, and the connection goes to one of those: a name that says
something else a moment later reaches nothing. Redirects are not followed. Signatures are those of Standard Webhooks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpx

TIMEOUT_S = 10.0
BATCH = "application/cloudevents-batch+json"
Resolver = Callable[[str, int], list[str]]


class RefusedError(Exception):
    """The delivery failed, or was not even tried; the message says why, without any secret."""


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises RefusedError."""
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        raise RefusedError(f"{host}: {error.strerror}") from None


def check(address: str, allowed: Iterable[str]) -> None:
    """Raise RefusedError for an address that is not of the public network, unless one of the networks allows it."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_global and not found.is_multicast:
        return
    if not any(found in ip_network(network) for network in allowed):
        raise RefusedError(f"{address} is loopback, link-local, private or reserved (CMDB_WEBHOOK_NETWORKS allows)")


def sign(secret: str, id_: str, at_s: int, body: bytes) -> str:
    """The signature of one delivery."""
    mark = hmac.new(secret.encode(), f"{id_}.{at_s}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mark).decode()


def send(
    url: str, body: bytes, id_: str, secret: str, at_s: int, allowed: Iterable[str], resolve: Resolver = resolved
) -> None:
    """Deliver a batch of CloudEvents. ``id_``: the same for every attempt. Raises RefusedError unless it was taken."""
    target = httpx.URL(url)
    port = target.port or (443 if target.scheme == "https" else 80)
    addresses, networks = resolve(target.host, port), list(allowed)
    for address in addresses:
        check(address, networks)
    headers = {
        "Host": target.netloc.decode(), "Content-Type": BATCH, "User-Agent": "cmdb", "webhook-id": id_,
        "webhook-timestamp": str(at_s), "webhook-signature": sign(secret, id_, at_s, body),
    }  # fmt: skip
    extensions: dict[str, Any] = {"sni_hostname": target.host}
    try:
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            answer = client.post(
                target.copy_with(host=addresses[0]), content=body, headers=headers, extensions=extensions
            )
    except httpx.HTTPError as error:
        raise RefusedError(f"{target.host}: {type(error).__name__}") from None
    if not answer.is_success:
        raise RefusedError(f"{target.host} answered {answer.status_code}")
