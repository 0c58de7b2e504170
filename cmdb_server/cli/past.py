"""What happened: to one CI, between two times, since a revision; and how well the CMDB tells of it."""

from __future__ import annotations

import argparse
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.text import Text

from cmdb_server.answers.render.media import REPORTS
from cmdb_server.cli import presenting
from cmdb_server.cli.client import segment
from cmdb_server.cli.commands import Told, client_of, tell, times
from cmdb_server.cli.presenting import Question, present
from cmdb_server.cli.render import joined, plain, table
from cmdb_server.cli.samples import sparkline

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
KINDS = ("attribute", "presence", "relation", "membership", "decision", "event")


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The commands ``timeline``, ``diff``, ``baseline``, ``changes`` and ``health``."""
    of = sub.add_parser("timeline", parents=[asked], help="what happened to a CI, by whom, and when it was recorded")
    of.add_argument("ci", help="id or name")
    of.add_argument("--at", metavar="TIME", help="what had happened by then (RFC 3339)")
    of.add_argument("--known-at", metavar="TIME", help="as far as had been told by then")
    of.add_argument("--kind", action="append", choices=KINDS, help="only these; may be repeated")
    of.add_argument("--limit", type=int, default=100)
    of.set_defaults(run=timeline)
    shown = presenting.options("table", written=REPORTS)
    two = sub.add_parser("diff", parents=[asked, shown], help="what differs between two times: counts, then details")
    two.add_argument("from_", metavar="FROM", help="RFC 3339")
    two.add_argument("to", metavar="TO", nargs="?", help="left out: now")
    two.add_argument("--from-known-at", metavar="TIME")
    two.add_argument("--to-known-at", metavar="TIME")
    narrowed(two)
    two.set_defaults(run=diff)
    _baselines(sub, asked)
    feed = sub.add_parser("changes", parents=[asked], help="what changed since a revision")
    feed.add_argument("--since", type=int, default=0, metavar="REVISION")
    feed.add_argument("--limit", type=int, default=1000)
    feed.set_defaults(run=changes)
    well = sub.add_parser("health", parents=[asked], help="how complete, correct, fresh and far-reaching the CMDB is")
    well.add_argument("check", nargs="?", help="list the CIs that fail this check")
    well.add_argument("--class", dest="class_", help="of this class alone")
    well.add_argument("--by", action="append", default=[], choices=("class", "owner"), help="each for itself")
    well.add_argument("--owner", help="of this owner alone, as the figures tell it; '' is nobody's")
    well.add_argument("--limit", type=int, default=1000)
    well.add_argument("--at", metavar="TIME", help="the figures of then, or the CIs behind them")
    well.add_argument("--known-at", metavar="TIME", help="as far as had been told by then")
    well.add_argument("--since", metavar="TIME", help="their course, as recorded since then")
    well.set_defaults(run=health)


def narrowed(parser: argparse.ArgumentParser) -> None:
    """Options that narrow a list of differences."""
    parser.add_argument("--change", help="created, returned, changed, merged, ended or removed")
    parser.add_argument("--class", dest="class_", help="the class, or a relation's type")
    parser.add_argument("--limit", type=int, default=100)


def timeline(told: Told) -> None:
    client = client_of(told)
    path = f"/cis/{segment(client.identify(told.ci))}/timeline"
    tell(told, client.every(path, told.limit, kind=told.kind, **times(told)), _timeline)


def _timeline(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("holds since", "recorded", "what", "was", "is", "by"),
        ((one["at"], one["cause"]["recorded_at"], f"{one['kind']} {one['name']}", _evidence(one, "before"),
          _evidence(one, "value"), by(one)) for one in items),
    )  # fmt: skip


def _evidence(one: dict[str, Any], which: str) -> Any:
    """What an event replaced, or by what, in a few lines; of everything else the value itself."""
    if one["kind"] != "event":
        return one[which]
    return "\n".join(f"{kind} {', '.join(values)}" for kind, values in one[which].items())


def by(one: dict[str, Any]) -> str:
    """Who or what caused it, in a few words."""
    cause = one["cause"]
    who = cause["subject"] or cause["agent"]
    return " ".join(word for word in (cause["source"], who and f"({who})", cause["reason"]) if word)


def diff(told: Told) -> None:
    query = {
        "from": told.from_, "to": told.to, "from_known_at": told.from_known_at, "to_known_at": told.to_known_at,
        "change": told.change, "class": told.class_, "limit": min(told.limit, 1000),
    }  # fmt: skip
    present(told, client_of(told), Question("GET", "/diff", query), {"table": differences})


def differences(answer: dict[str, Any]) -> RenderableType:
    """Counts, then details."""
    counts = table(
        ("count", "change", "what"),
        ((str(one["count"]), one["change"], f"{one['kind']} {one['class']}") for one in answer["counts"]),
    )
    details = table(
        ("change", "class", "name", "what", "id"),
        ((one["change"], one["class"], one["name"], _values(one), " ".join(one["id"])) for one in answer["items"]),
    )
    more = "more: ask with a larger --limit, or narrow with --change and --class" if answer["next_cursor"] else ""
    return Group(counts, joined(""), details, joined(more))


def _values(one: dict[str, Any]) -> str:
    if one["into"]:
        return f"into {one['into']}"
    if one["change"] in ("created", "removed"):
        return ""
    return ", ".join(f"{name}: {told['before']!s} -> {told['after']!s}" for name, told in one["values"].items())


def changes(told: Told) -> None:
    items = client_of(told).every("/changes", told.limit, since=told.since)
    tell(told, items, _changes)


def _changes(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("revision", "recorded", "what", "id", "by"),
        ((str(one["revision"]), one["cause"]["recorded_at"], one["kind"] + (" deleted" if one["deleted"] else ""),
          " ".join(one["id"]), by(one)) for one in items),
    )  # fmt: skip


def health(told: Told) -> None:
    client = client_of(told)
    if told.since is not None:
        query = {"since": told.since, "until": told.at, "check": told.check, "class": told.class_, "owner": told.owner}
        tell(told, client.get("/cmdb-health/course", **query), _course)
        return
    if told.check is None:
        narrowed = told.by or (told.class_, told.owner) != (None, None)
        answer = client.get("/cmdb-health", **times(told))
        tell(told, answer, lambda found: _figures(found, told) if narrowed else _health(found))
        return
    query = {"check": told.check, "class": told.class_, "owner": told.owner, **times(told)}
    tell(told, client.every("/cmdb-health/findings", told.limit, **query), _findings)


def _health(answer: dict[str, Any]) -> RenderableType:
    return table(
        ("dimension", "check", "failing", "of", "", "meaning"),
        ((one["dimension"], one["check"], plain(str(one["failing"]), "red" if one["failing"] else "green"),
          str(one["of"]), _trend(one["trend"]), one["meaning"]) for one in answer["checks"]),
    )  # fmt: skip


def _figures(answer: dict[str, Any], told: Told) -> RenderableType:
    sums: dict[tuple[str, ...], list[int]] = {}
    for one in answer["figures"]:
        if told.class_ in (None, one["class"]) and told.owner in (None, one["owner"]):
            found = sums.setdefault((one["check"], *(one[name] for name in told.by)), [0, 0])
            found[0] += one["failing"]
            found[1] += one["of"]
    rows = ((*key, plain(str(bad), "red" if bad else "green"), str(of)) for key, (bad, of) in sums.items())
    return table(("check", *told.by, "failing", "of"), rows)


ARROWS = {"better": ("↘", "green"), "worse": ("↗", "red"), "steady": ("→", "dim")}
"""Which way the share that fails goes."""


def _trend(told: str | None) -> Text:
    return plain(*ARROWS[told]) if told else plain("")


def _course(answer: dict[str, Any]) -> RenderableType:
    rows = (
        (one["check"], sparkline([point["failing"] for point in one["points"]]), _trend(one["trend"]),
         *(f"{point['failing']} of {point['of']}" for point in (one["points"][0], one["points"][-1])))
        for one in answer["checks"] if one["points"]
    )  # fmt: skip
    if not any(one["points"] for one in answer["checks"]):
        return plain("nothing was recorded in this time: servers record it hourly (cmdb jobs)", "dim")
    return table(("check", "failing", "", "first", "last"), rows)


def _findings(items: list[dict[str, Any]]) -> RenderableType:
    columns = ("class", "name", "owner", "detail", "ci")
    return table(columns, ([one[column] for column in columns] for one in items))


def _baselines(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    baseline = sub.add_parser("baseline", help="states of the graph by name, and what drifted from them")
    baseline.set_defaults(run=lambda _: baseline.print_help())
    actions = baseline.add_subparsers(metavar="ACTION")
    make = actions.add_parser("create", parents=[asked], help="name how things are, or were")
    make.add_argument("name")
    make.add_argument("--at", metavar="TIME", help="RFC 3339; left out: now")
    make.add_argument("--note", default="")
    make.set_defaults(run=baseline_create)
    actions.add_parser("list", parents=[asked], help="all baselines").set_defaults(run=baseline_list)
    for action, run, help_ in (
        ("remove", baseline_remove, "forget the name; the history stays"),
        ("drift", drift, "what changed since: counts, then details"),
    ):
        parents = [asked, presenting.options("table", written=REPORTS)] if action == "drift" else [asked]
        one = actions.add_parser(action, parents=parents, help=help_)
        one.add_argument("name")
        if action == "drift":
            narrowed(one)
        one.set_defaults(run=run)


def baseline_create(told: Told) -> None:
    body = {"name": told.name, "note": told.note} | ({"at": told.at} if told.at else {})
    tell(told, client_of(told).ask("POST", "/baselines", body=body), lambda one: _named([one]))


def baseline_list(told: Told) -> None:
    tell(told, client_of(told).get("/baselines"), _named)


def baseline_remove(told: Told) -> None:
    tell(told, client_of(told).ask("DELETE", f"/baselines/{segment(told.name)}"), lambda one: _named([one]))


def drift(told: Told) -> None:
    query = {"change": told.change, "class": told.class_, "limit": min(told.limit, 1000)}
    question = Question("GET", f"/baselines/{segment(told.name)}/drift", query)
    present(told, client_of(told), question, {"table": differences})


def _named(items: list[dict[str, Any]]) -> RenderableType:
    columns = ("name", "at", "revision", "subject", "note")
    return table(columns, ([str(one[column]) for column in columns] for one in items))
