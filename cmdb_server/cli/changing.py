"""Before a change: what it does, what is booked beside it, when it could be done; and what came of those before."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.tree import Tree

from cmdb_server.answers.render.media import REPORTS
from cmdb_server.cli.client import segment
from cmdb_server.cli.commands import Told, client_of, tell
from cmdb_server.cli.exits import REFUSED
from cmdb_server.cli.kept import names
from cmdb_server.cli.presenting import Question, options, present
from cmdb_server.cli.render import STATE, joined, named, plain, table

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Answer = dict[str, Any]
LOOKED_UP = 100
"""CIs whose changes are counted that are told by their names."""
BAND = {"low": "green", "medium": "yellow", "high": "red", "very_high": "bold red"}


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The command ``change``."""
    root = sub.add_parser("change", help="whether a change is safe, when it could be done, what came of others")
    root.set_defaults(run=lambda _: root.print_help())
    actions = root.add_subparsers(metavar="ACTION")
    for action, run, help_ in (
        ("assess", assess, "who is hit, what else is booked, the calendar, the risk, who approves"),
        ("approvals", approvals, "who was asked, and what they said"),
        ("slot", slot, "the next free time"),
        ("verify", verify, "what was expected held against what came"),
    ):
        shown = [options("tree", written=REPORTS)] if action == "assess" else []
        one = actions.add_parser(action, parents=[asked, *shown], help=help_)
        one.add_argument("number")
        one.set_defaults(run=run)
        if action == "slot":
            one.add_argument("--length", metavar="DURATION", help="ISO 8601, such as PT2H; its longest window")
            one.add_argument("--after", metavar="TIME", help="RFC 3339; now")
    rates = actions.add_parser("success", parents=[asked], help="how many went well")
    rates.add_argument("--by", choices=("all", "type", "team", "ci"), default="all")
    rates.add_argument("--since", metavar="TIME", help="RFC 3339")
    rates.set_defaults(run=success)
    stray = actions.add_parser("unplanned", parents=[asked], help="what discovery saw change though nothing was booked")
    stray.add_argument("--since", metavar="TIME", required=True, help="RFC 3339")
    stray.add_argument("--until", metavar="TIME", help="RFC 3339; now")
    stray.add_argument("--limit", type=int, default=100, metavar="N", help="100")
    stray.set_defaults(run=unplanned)
    together = actions.add_parser("release", parents=[asked], help="the changes of a release as a sequence")
    together.add_argument("number")
    together.set_defaults(run=release)


def assess(told: Told) -> None:
    question = Question("GET", f"/kept/change/{segment(told.number)}/assessment", {})
    present(told, client_of(told), question, {"tree": _assessment})


def _assessment(answer: Answer) -> RenderableType:
    risk = answer["risk"]
    root = Tree(
        joined(
            plain(answer["number"], "bold"), plain(f"risk {risk['score']} of 100, {risk['band']}", BAND[risk["band"]])
        )
    )
    for one in answer["spans"][:5]:
        root.add(joined(plain("when", "dim"), plain(_span(one))))
    _hit(root, answer)
    _beside(root, answer)
    for fault in answer["template_faults"]:
        root.add(joined(plain("template", "red"), plain(fault)))
    terms = table(
        ("points", "risk", "why"),
        ((f"{term['points']:.1f}", term["name"].replace("_", " "), term["why"]) for term in risk["terms"]),
    )
    return Group(root, terms)


def _hit(root: Tree, answer: Answer) -> None:
    hit = root.add(plain("services hit", "bold") if answer["approvals"] else plain("no service is hit", "green"))
    for one in answer["approvals"]:
        owner = f"{one['owner']} approves" if one["owner"] else "any approver"
        both = f"together with {', '.join(one['with'])}" if one["with"] else ""
        state = plain(one["state"], STATE[one["state"]])
        hit.add(joined(state, named(one["service"]), plain(both, "red"), plain(owner, "dim")))
    if answer["impact"]:
        for one in answer["impact"]["redundancy_lost"][:10]:
            root.add(joined(plain("redundancy lost", "yellow"), named(one["ci"]), plain(one["gate"]["text"], "dim")))


def _beside(root: Tree, answer: Answer) -> None:
    for one in answer["collisions"]:
        fatal = root.add(joined(plain("fatal together with", "red"), plain(", ".join(one["numbers"]))))
        for met in one["meetings"]:
            fatal.add(joined(named(met["ci"]), plain(met["text"], "dim"), plain(f"with {', '.join(met['numbers'])}")))
    for one in answer["overlaps"]:
        over = root.add(joined(plain("at the same time", "yellow"), plain(one["number"]), plain(one["summary"], "dim")))
        for title in ("same", "providers", "consumers"):
            for ci in one[title][:10]:
                over.add(joined(plain(title, "dim"), named(ci)))
        for person in one["people"]:
            over.add(joined(plain("also", "dim"), plain(person)))
    for one in answer["conditions"]["freezes"]:
        root.add(joined(plain("in the freeze", "red"), plain(one["number"]), plain(one["summary"], "dim")))
    for one in answer["conditions"]["outside"][:5]:
        root.add(joined(plain("outside of maintenance windows", "yellow"), plain(_span(one))))


def _span(one: Answer) -> str:
    return f"{one['start']} to {one['end'] or 'until it is ended'}"


def approvals(told: Told) -> None:
    tell(told, client_of(told).get(f"/kept/change/{segment(told.number)}/approvals"), _approvals)


def _approvals(items: list[Answer]) -> RenderableType:
    return table(
        ("number", "state", "approver", "services"),
        ((one["number"], one["state"], one["body"].get("approver") or "any approver",
          str(len(one["cis"].get("service", ())))) for one in items),
    )  # fmt: skip


def slot(told: Told) -> None:
    answer = client_of(told).get(f"/kept/change/{segment(told.number)}/slot", length=told.length, after=told.after)
    tell(told, answer, _slot)


def _slot(answer: Answer) -> RenderableType:
    found = plain(_span(answer["slot"]), "green") if answer["slot"] else plain(f"none until {answer['until']}", "red")
    way = f"apart from {', '.join(answer['in_the_way'])}" if answer["in_the_way"] else "nothing is in the way"
    return joined(plain(answer["number"], "bold"), found, plain(way, "dim"))


def success(told: Told) -> None:
    client = client_of(told)
    answer = client.get("/change-success", by=told.by, since=told.since)
    cis = [one["name"] for one in answer["items"]] if told.by == "ci" and not told.json else []
    tell(told, answer, partial(_success, known=names(client, cis, LOOKED_UP)))


def _success(answer: Answer, known: Mapping[str, str]) -> RenderableType:
    rates = table(
        (answer["by"], "changes", "failed", "with issues", "went well"),
        ((known.get(one["name"], one["name"]), one["changes"], one["failed"], one["with_issues"], f"{one['rate']:.0%}")
         for one in answer["items"]),
    )  # fmt: skip
    bands = table(
        ("risk", "changes", "went wrong", "true share, 95 %"),
        ((one["band"], one["changes"], one["wrong"], f"{one['low']:.0%} to {one['high']:.0%}")
         for one in answer["calibration"]),
    )  # fmt: skip
    return Group(rates, bands)


def verify(told: Told) -> None:
    """Ends with 1 where something is missing or was not planned."""
    client = client_of(told)
    answer = client.get(f"/kept/change/{segment(told.number)}/verification")
    meant = (one["expected"].get(end) for one in answer["outcomes"] for end in ("ci", "from", "to"))
    tell(told, answer, partial(_verification, known={} if told.json else names(client, filter(None, meant))))
    if not answer["holds"]:
        raise SystemExit(REFUSED)


def _verification(answer: Answer, known: Mapping[str, str]) -> RenderableType:
    holds = plain("as expected", "green") if answer["holds"] else plain("not as expected", "red")
    root = Tree(
        joined(plain(answer["number"], "bold"), holds, plain(f"{answer['before']} to {answer['after']}", "dim"))
    )
    colours = {"done": "green", "already": "yellow", "missing": "red"}
    for one in answer["outcomes"]:
        expected = {name: value for name, value in one["expected"].items() if value not in ("", None, False)}
        text = " ".join(known.get(str(value), str(value)) for name, value in expected.items() if name != "any_value")
        root.add(joined(plain(one["result"], colours[one["result"]]), plain(text)))
    for one in answer["unplanned"]:
        root.add(joined(plain("unplanned", "red"), *_difference(one)))
    if answer["more"]:
        root.add(plain(f"{answer['more']} more not listed", "dim"))
    return root


def _difference(one: Answer) -> tuple[Any, ...]:
    differing = one["values"] if one["change"] not in ("created", "removed") else {}
    values = ", ".join(f"{name}: {_told(old)} -> {_told(new)}" for name, (old, new) in differing.items())
    what = one["name"] or " ".join(one["id"])
    return plain(one["change"]), plain(one["class"], "dim"), plain(what), plain(values, "dim")


def _told(value: Any) -> str:
    return "nothing" if value is None else str(value)


def unplanned(told: Told) -> None:
    found = client_of(told).every("/unplanned-changes", told.limit + 1, since=told.since, until=told.until)
    tell(told, {"items": found[: told.limit], "more": len(found) > told.limit}, _unplanned)


def _unplanned(answer: Answer) -> RenderableType:
    columns = ("seen", "kept as", "of", "change", "class", "what", "values")
    found = table(columns, ((*_seen(one), *_difference(one)) for one in answer["items"]))
    return Group(found, plain("more: ask with a larger --limit, or a shorter time" if answer["more"] else "", "dim"))


def _seen(one: Answer) -> tuple[Any, ...]:
    of = ", ".join(ci["name"] or ci["id"] for ci in one["cis"])
    return plain(one["at"], "dim"), plain(one["number"] or ""), plain(of, "bold")


def release(told: Told) -> None:
    tell(told, client_of(told).get(f"/kept/release/{segment(told.number)}/assessment"), _release)


def _release(answer: Answer) -> RenderableType:
    root = Tree(joined(plain(answer["number"], "bold"), plain(answer["state"], "green")))
    for one in answer["changes"]:
        late = plain("begins before the one before it has ended", "red") if one["late"] else plain("")
        root.add(joined(plain(one["number"]), plain(_span(one), "dim"), plain(one["summary"]), late))
    for one in answer["impact"]["services"] if answer["impact"] else ():
        hit = root.add(joined(plain("hit", "red"), named(one["affected"]["ci"])))
        for state in ("down", "degraded"):
            for span in one["affected"][state]:
                hit.add(joined(plain(state, STATE[state]), plain(_span(span), "dim")))
    return root
