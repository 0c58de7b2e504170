"""What administrators look after: agents, and who did what."""

from __future__ import annotations

import argparse
from typing import Any, TypeAlias

from rich.console import Group, RenderableType

from cmdb_server.cli.client import segment
from cmdb_server.cli.commands import Told, client_of, tell
from cmdb_server.cli.render import plain, table

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The commands ``agents`` and ``audit``."""
    agents = sub.add_parser("agents", help="what each agent looks after; retire and restore one")
    agents.set_defaults(run=lambda _: agents.print_help())
    actions = agents.add_subparsers(metavar="ACTION")
    listing = actions.add_parser("list", parents=[asked], help="all agents")
    listing.set_defaults(run=list_agents)
    show = actions.add_parser("show", parents=[asked], help="an agent's scopes, and what nobody else confirms")
    show.add_argument("agent")
    show.set_defaults(run=show_agent)
    retire = actions.add_parser("retire", parents=[asked], help="revoke its tokens now; what it alone saw will age")
    retire.add_argument("agent")
    retire.add_argument("--reason", required=True, help="why")
    retire.set_defaults(run=retire_agent)
    restore = actions.add_parser("restore", parents=[asked], help="take a retirement back; enrol the agent again")
    restore.add_argument("agent")
    restore.set_defaults(run=restore_agent)
    audit = sub.add_parser("audit", parents=[asked], help="who did what, when")
    audit.add_argument("--subject", help="by whom")
    audit.add_argument("--action", help="such as decisions.decide, or all of decisions")
    audit.add_argument("--thing", help="to what: an id, a number, a name")
    audit.add_argument("--since", metavar="TIME", help="RFC 3339")
    audit.add_argument("--until", metavar="TIME", help="RFC 3339")
    audit.add_argument("--limit", type=int, default=100)
    audit.set_defaults(run=show_audit)


def list_agents(told: Told) -> None:
    tell(told, client_of(told).get("/agents"), _agents)


def show_agent(told: Told) -> None:
    tell(told, client_of(told).get(f"/agents/{segment(told.agent)}"), _work)


def retire_agent(told: Told) -> None:
    path = f"/agents/{segment(told.agent)}/retirement"
    tell(told, client_of(told).ask("POST", path, body={"reason": told.reason}), _work)


def restore_agent(told: Told) -> None:
    tell(told, client_of(told).ask("DELETE", f"/agents/{segment(told.agent)}/retirement"), _work)


def show_audit(told: Told) -> None:
    query = {name: getattr(told, name) for name in ("subject", "action", "thing", "since", "until")}
    items = client_of(told).every("/audit", told.limit, **query)
    tell(told, items, _acts)


def _agents(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("agent", "last report", "scopes", "things", "tokens", "retired"),
        ((a["name"], a["last_report"], a["scopes"], a["things"], a["tokens"], _retired(a["retired"])) for a in items),
    )


def _retired(told: dict[str, Any] | None) -> str:
    return "" if told is None else f"since {told['at']} by {told['by']}: {told['reason']}"


def _work(told: dict[str, Any]) -> RenderableType:
    scopes = table(
        ("site", "source", "target", "probe", "last report", "things"),
        ((s["site"], s["source"], s["target"], s["probe"], s["at"], s["things"]) for s in told["scopes"]),
    )
    return Group(_agents([told["agent"]]), scopes, plain(f"{len(told['alone'])} CIs that nobody else confirms"))


def _acts(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("at", "who", "action", "to", "detail"),
        (
            (a["at"], a["subject"], a["action"], a["thing"], ", ".join(f"{k} {v}" for k, v in a["detail"].items()))
            for a in items
        ),
    )
