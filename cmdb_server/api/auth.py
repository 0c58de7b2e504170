"""Who asks, and whether they may: bearer tokens, roles, plain HTTP, quotas."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from ipaddress import ip_address
from typing import Any, Literal

from flask import g, request

from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.viewer import Viewer
from cmdb_server.api import token
from cmdb_server.api.context import context, now_ms
from cmdb_server.errors import Forbidden, TooManyRequests, Unauthenticated
from cmdb_server.ingest.caller import Caller
from cmdb_server.store.port import Store

Action = Literal["read", "report", "declare", "approve", "administer", "observe"]
View = Callable[..., Any]

PERMITTED: dict[str, frozenset[Action]] = {
    "admin": frozenset({"read", "report", "declare", "approve", "administer", "observe"}),
    "operator": frozenset({"read", "report", "declare", "observe"}),
    "approver": frozenset({"read", "approve", "observe"}),
    "reader": frozenset({"read", "observe"}),
    "agent": frozenset({"report"}),
}
"""role -> what it may do. ``read``: the graph and its answers; ``report``: deliver reports; ``declare``: create and
edit CIs by hand; ``approve``: changes; ``administer``: tokens and enrolment codes; ``observe``: metrics."""

WITHIN_SIGHT: frozenset[Action] = frozenset({"read", "declare", "approve"})
"""What somebody may do who does not see everything. Reports say who is who, metrics count everything."""
PEOPLE = tuple(sorted(set(PERMITTED) - {"agent"}))
REFUSALS = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 429: "TOO_MANY_REQUESTS"}
STORE_DOWN = {503: "SERVICE_UNAVAILABLE"}


def requires(action: Action) -> Callable[[View], View]:
    """Have a view answer only callers whose role permits ``action``, and say so in the API's description. It goes
    right below the route, so that nothing of a request is read before its sender is known."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            _authorise(action)
            return view(*args, **kwargs)

        described: dict[str, Any] = deepcopy(getattr(view, "_apidoc", {}))
        manual = described.setdefault("manual_doc", {})
        manual["security"] = [{"bearer": []}]
        manual.setdefault("responses", {}).update(REFUSALS | STORE_DOWN)
        guarded._apidoc = described  # type: ignore[attr-defined]
        return guarded

    return decorate


def anonymous(view: View) -> View:
    """Have a view answer callers without a token, counted by address; a secret may still be in what they send."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        refuse_plain_http()
        g.quota_key = f"address:{request.remote_addr}"
        _take(g.quota_key, 1, 0)
        return view(*args, **kwargs)

    described: dict[str, Any] = deepcopy(getattr(view, "_apidoc", {}))
    described.setdefault("manual_doc", {}).setdefault("responses", {}).update(REFUSALS | STORE_DOWN)
    guarded._apidoc = described  # type: ignore[attr-defined]
    return guarded


def caller() -> Caller:
    """The one who sent this request."""
    found: Caller = g.caller
    return found


def viewer() -> Viewer:
    """The same, as one who looks at the graph. Raises SelectorError for a policy that cannot be read any more."""
    own = context()
    return Viewer(caller().subject, caller().role, own.kinds, own.sights.of(caller().sees), own.past)


def seen() -> Store:
    """The store as the caller may see it, and change it."""
    return as_seen(context().store, viewer())


def charge(size: int) -> None:
    """Count bytes of a body for the caller's quota. Raises TooManyRequests."""
    _take(g.quota_key, 0, size)


def _authorise(action: Action) -> None:
    refuse_plain_http()
    presented = token.find(context().store, _bearer(), now_ms())
    g.caller, g.quota_key, g.action = presented.caller, presented.id, action
    _take(presented.id, 1, 0)
    if action not in PERMITTED.get(presented.role, frozenset()):
        raise Forbidden(f"the role {presented.role!r} may not {action}")
    if presented.sees is not None and action not in WITHIN_SIGHT:
        raise Forbidden(f"a token that does not see everything may not {action}")


def _bearer() -> str:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthenticated("send Authorization: Bearer with a token")
    return text.strip()


def refuse_plain_http() -> None:
    """Raise Forbidden for a secret that would travel unprotected: plain HTTP from beyond this machine."""
    if request.is_secure or _is_loopback(request.remote_addr):
        return
    raise Forbidden("plain HTTP is served to this machine alone: use HTTPS, or declare the proxy (CMDB_PROXIES)")


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ip_address(address).is_loopback
    except ValueError:
        return False


def _take(key: str, requests: int, size: int) -> None:
    wait = context().quota.take(key, time.time(), requests, size)
    if wait:
        raise TooManyRequests(f"come back in {wait} s", headers={"Retry-After": str(wait)})
