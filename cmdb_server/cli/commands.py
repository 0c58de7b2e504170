"""What each command does: asks the server, and shows the answer."""

from __future__ import annotations

import argparse
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console, RenderableType

from cmdb_server import settings
from cmdb_server.cli import in_context, render, supposing
from cmdb_server.cli.client import Client, segment
from cmdb_server.cli.exits import ABSENT, REFUSED, USAGE, fail
from cmdb_server.cli.impact_table import impact_table
from cmdb_server.cli.in_context import with_context
from cmdb_server.cli.presenting import WIDE, Question, present
from cmdb_server.store.port import Loadable

Told = argparse.Namespace


def serve(told: Told) -> None:
    from cmdb_server.cli.serve import serve as run

    console = Console(soft_wrap=True)

    def announce(address: str) -> None:
        console.print(f"CMDB API at {address}/api/v1, documentation at {address}/docs", markup=False, highlight=False)
        console.file.flush()

    run(settings.read(), told.bind, told.address_file, announce, dev=told.dev)


@contextmanager
def opened() -> Iterator[Loadable]:
    """The store of the settings, for the commands that no server is needed for."""
    from cmdb_server.app import open_store

    opened = open_store(settings.read())
    try:
        yield opened
    finally:
        opened.close()


def dump(told: Told) -> None:
    from cmdb_server.store.dump import dump as write

    descriptor, part = tempfile.mkstemp(dir=told.file.parent, prefix=told.file.name, suffix=".part")
    try:
        with opened() as store, os.fdopen(descriptor, "wb") as out:
            header = write(store, out, tokens=told.tokens)
        Path(part).replace(told.file)
    finally:
        Path(part).unlink(missing_ok=True)
    _say(f"revision {header.revision}, digest {header.digest}")


def load(told: Told) -> None:
    from cmdb_server.store.dump import load as read

    if not told.file.is_file():
        fail(ABSENT, f"{told.file}: no such file")
    with opened() as store, told.file.open("rb") as source:
        header = read(store, source)
    _say(f"revision {header.revision}, digest {header.digest}")


def token_bootstrap(told: Told) -> None:
    from cmdb_server.api import token
    from cmdb_server.api.context import now_ms
    from cmdb_server.practices.audit import Act, Witnessed

    now = now_ms()
    act = Act(
        str(uuid.uuid4()),
        now,
        told.subject,
        "admin",
        "tokens.bootstrap",
        told.subject,
        0,
        {"subject": told.subject},
        "",
    )
    with opened() as store:
        if any(held.role == "admin" and held.revoked_at is None for held in token.every(store)):
            fail(REFUSED, "there is an admin token already; make more with cmdb token create")
        # Before there is a token: nobody would know one that cannot be written.
        out = None if told.to is None else _for_secrets(told.to)
        witnessed = Witnessed(store, lambda: act)
        text, made = token.create(witnessed, told.subject, "admin", None, now, told.days * token.DAY_MS)
    if out is None:
        _say(text)
        return
    with out:
        out.write(text + "\n")
    _say(f"{made.prefix} written to {told.to}")


def _for_secrets(path: Path) -> TextIO:
    """A file that nobody else may read, to be written anew."""
    try:
        out = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")
    except OSError as error:
        fail(USAGE, f"{path}: {error.strerror}")
    os.fchmod(out.fileno(), 0o600)
    return out


def token_create(told: Told) -> None:
    answer = client_of(told).ask(
        "POST",
        "/tokens",
        body={"subject": told.subject, "role": told.role, "days": told.days, "sees": told.sees},
    )
    tell(told, answer, render.minted)


def token_list(told: Told) -> None:
    tell(told, client_of(told).get("/tokens"), render.tokens)


def token_revoke(told: Told) -> None:
    client = client_of(told)
    held = [one for one in client.get("/tokens") if told.id in (one["id"], one["prefix"])]
    if len(held) != 1:
        fail(ABSENT, f"{len(held)} tokens have the id or prefix {told.id!r}")
    tell(told, client.ask("DELETE", f"/tokens/{segment(held[0]['id'])}"), render.revoked)


def enrol_code(told: Told) -> None:
    grant = {"agent": told.agent, "minutes": told.minutes, "networks": told.network}
    grant |= {f"{name}s": given for name in ("site", "source") if (given := getattr(told, name))}
    tell(told, client_of(told).ask("POST", "/enrolment-codes", body=grant), render.code)


def show(told: Told) -> None:
    client = client_of(told)
    ci = client.identify(told.ci)
    answer = client.get(f"/cis/{segment(ci)}", **times(told))
    tell(told, answer, lambda found: render.ci_tree(found, whole=told.all))


def search(told: Told) -> None:
    answer = client_of(told).get("/search", q=told.text, limit=told.limit, **times(told))
    tell(told, answer, render.hits)


def list_cis(told: Told) -> None:
    query = {name: getattr(told, f"{name}_") for name in ("class", "name", "site", "life")}
    items = client_of(told).every(
        "/cis", told.limit, attribute=told.attribute, select=told.select, **query, **times(told)
    )
    tell(told, items, render.cis)


def impact(told: Told) -> None:
    client = client_of(told)
    body = {
        "failed": [client.identify(ci) for ci in told.ci],
        "not_impacted": [client.identify(ci) for ci in told.not_impacted],
        "edits": supposing.edits(client, told),
        **in_context.asked(told),
        **{name: value for name, value in (("depth", told.depth), *times(told).items()) if value is not None},
    }
    ways = {"tree": with_context(render.impact), "table": with_context(impact_table)}
    present(told, client, Question("POST", "/impact", body), ways)


def client_of(told: Told) -> Client:
    """The server and token that the command names."""
    return Client(told.server, told.token_ref)


def times(told: Told) -> dict[str, Any]:
    """The two times of a command, as every read takes them."""
    return {"at": told.at, "known_at": told.known_at}


def tell(told: Told, answer: Any, rendered: Callable[[Any], RenderableType]) -> None:
    """Show an answer, or give it as it is."""
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    if told.json:
        console.print_json(data=answer, highlight=False, ensure_ascii=False)
    else:
        console.print(rendered(answer))


def _say(text: str) -> None:
    Console(soft_wrap=True).print(text, markup=False, highlight=False)
