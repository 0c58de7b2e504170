"""What the demo prints: what was found, this machine, and two answers to "what breaks?"."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cmdb_server.cli import render
from cmdb_server.cli.client import Client
from demo.server import BIN, DemoError

QUIET = ("software_package", "module", "memory_module")
SHOWN_ATTRIBUTES = ("os_name", "os_version", "host.arch", "manufacturer", "model_number", "cpu_count", "memory")
MANY = 8


def estate(console: Console, client: Client) -> None:
    """What was found, by class."""
    items = client.every("/cis", 100_000)
    console.print(Rule("What was found"))
    table = Table("class", "CIs", "for example", box=None, header_style="bold", pad_edge=False)
    counted = Counter(one["class"] for one in items)
    for name, count in sorted(counted.items(), key=lambda pair: (pair[0] in QUIET, -pair[1], pair[0])):
        examples = [one["name"] for one in items if one["class"] == name][:3]
        table.add_row(render.plain(name, "cyan"), str(count), render.plain(", ".join(examples)))
    console.print(table)


def machine(console: Console, client: Client, port: int) -> None:
    """The host that the demo's own server listens on, with its components and that listener first."""
    host = _host_of_listener(client, port)
    root = Tree(render.named(host))
    for name in SHOWN_ATTRIBUTES:
        if name in host["attributes"]:
            root.add(render.joined(render.plain(f"{name}:", "dim"), render.quantity(host["attributes"][name])))
    by_class: dict[str, list[dict[str, Any]]] = {}
    for one in host["components"]:
        by_class.setdefault(one["class"], []).append(one)
    for name, components in sorted(by_class.items()):
        branch = root.add(render.plain(f"{name} ({len(components)})", "cyan"))
        components.sort(key=lambda one: (not _listens(one, port), one["name"]))
        for one in components[:MANY]:
            branch.add(_component(one, port))
        if len(components) > MANY:
            branch.add(f"... and {len(components) - MANY} more")
    root.add(f"{sum(one['type'] == 'installs' for one in host['relations'])} software packages")
    console.print(Rule("This machine"))
    console.print(root)


def _host_of_listener(client: Client, port: int) -> dict[str, Any]:
    for one in client.every("/cis", 100_000, **{"class": "application"}):
        if _listens(one, port) and one["parent"]:
            host: dict[str, Any] = client.get(f"/cis/{one['parent']}")
            return host
    raise DemoError(f"the scan of this machine did not find the server that listens on port {port}")


def _listens(component: dict[str, Any], port: int) -> bool:
    return any(str(text).endswith(f":{port}") for text in component["attributes"].get("listens", []))


def _component(one: dict[str, Any], port: int) -> Text:
    told = [one["attributes"].get(name) for name in ("version", "ip_addresses", "listens")]
    texts = [", ".join(map(str, value)) if isinstance(value, list) else str(value) for value in told if value]
    here = render.plain("<- this demo's server", "green") if _listens(one, port) else ""
    return render.joined(render.plain(one["name"], "bold"), *(render.plain(text, "dim") for text in texts), here)


def questions(console: Console, client: Client) -> None:
    """Two failures: one that a pool takes, and one that nothing takes."""
    for title, failed in (
        ("If web1 fails: one of two behind the load balancer", "web1"),
        ("If db1 fails: the only database that takes orders", "db1"),
    ):
        answer = client.ask("POST", "/impact", body={"failed": [client.identify(failed)]})
        console.print(Rule(title))
        console.print(render.impact(_brief(answer)))


def _brief(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with its services and what lost redundancy; of the rest only how many there are."""
    services = {service["affected"]["ci"]["id"] for service in answer["services"]}
    rest = Counter(one["ci"]["class"] for one in answer["cis"] if one["ci"]["id"] not in services)
    hidden = dict(sorted(rest.items(), key=lambda pair: (-pair[1], pair[0])))
    return {**answer, "cis": [], "more": hidden}


def addresses(console: Console, server: str, token: Path) -> None:
    """Where to go on from here."""
    console.print(Rule("Go on"))
    for name, value in (
        ("API", f"{server}/api/v1"),
        ("documentation", f"{server}/docs"),
        ("token", str(token)),
        ("try", f"{BIN / 'cmdb'} impact lb1 --server {server} --token-ref file:{token}"),
    ):
        console.print(f"{name:14}{value}", markup=False, soft_wrap=True)
