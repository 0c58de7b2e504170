"""Sends signed events to a URL, and to nowhere that the URL only pretends to be.

The name is resolved once, every address it has is judged, and the connection goes to one of those: a name that says
something else a moment later reaches nothing. Redirects are not followed, and of the answer only its status is read.
Signatures are those of Standard Webhooks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx

TIMEOUT_S = 10.0
"""How long the receiver may be silent."""
WHOLE_S = 30.0
"""How long a delivery may take, however slowly the receiver goes on."""
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
    url: str, body: bytes, id_: str, secret: str, at_s: int, allowed: Iterable[str], resolve: Resolver = resolved,
    whole: float = WHOLE_S,
) -> None:  # fmt: skip
    """Deliver a batch of CloudEvents within ``whole`` seconds or so. ``id_``: the same for every attempt. Raises
    RefusedError unless it was taken."""
    target = httpx.URL(url)
    port = target.port or (443 if target.scheme == "https" else 80)
    addresses, networks = resolve(target.host, port), list(allowed)
    for address in addresses:
        check(address, networks)
    headers = {
        "Host": target.netloc.decode(), "Content-Type": BATCH, "User-Agent": "cmdb", "webhook-id": id_,
        "webhook-timestamp": str(at_s), "webhook-signature": sign(secret, id_, at_s, body),
    }  # fmt: skip
    status = _status(target, addresses[0], body, headers, whole)
    if not 200 <= status < 300:
        raise RefusedError(f"{target.host} answered {status}")


def _status(target: httpx.URL, address: str, body: bytes, headers: dict[str, str], whole: float) -> int:
    """What the host at that address answers."""
    there, extensions = target.copy_with(host=address), {"sni_hostname": target.host}
    with httpx.Client(timeout=min(TIMEOUT_S, whole), follow_redirects=False, trust_env=False) as client:
        # Closed under the hands of whoever reads from it, the connection fails at the next byte, or when none comes.
        end = threading.Timer(whole, client.close)
        end.start()
        try:
            with client.stream("POST", there, content=body, headers=headers, extensions=extensions) as answer:
                return answer.status_code
        except (httpx.HTTPError, OSError) as error:
            raise RefusedError(f"{target.host}: {type(error).__name__}") from None
        finally:
            end.cancel()
