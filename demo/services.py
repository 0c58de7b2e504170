"""The services that stand on the recorded estate. People declare those; no scan can find them."""

from __future__ import annotations

from typing import Any

from cmdb_server.cli.client import Client

DECLARED: tuple[dict[str, Any], ...] = (
    {
        "class": "application_service",
        "name": "Web shop",
        "attributes": {"environment": "production", "business_criticality": "most_critical"},
        "on": [("proxy", "lb1")],
    },
    {
        "class": "application_service",
        "name": "Sales reports",
        "attributes": {"environment": "production", "business_criticality": "less_critical"},
        "on": [("database_instance", "db2")],
    },
    {
        "class": "business_service",
        "name": "Online sales",
        "attributes": {"business_criticality": "most_critical", "availability_target": 99.9},
        "on": [("application_service", "Web shop")],
    },
)


def declare(client: Client) -> None:
    """Enters the services that are not there yet, each standing on what it depends on."""
    for one in DECLARED:
        if not client.get("/cis", **{"class": one["class"], "name": one["name"]})["items"]:
            relations = [{"type": "depends_on", "ci": _found(client, *place)} for place in one["on"]]
            entry = {name: one[name] for name in ("class", "name", "attributes")}
            client.ask("POST", "/cis", body={**entry, "relations": relations})


def _found(client: Client, class_: str, name: str) -> str:
    """The service of that name, or the application of that class on the host of that name."""
    if class_ == "application_service":
        return client.identify(name)
    host = client.get(f"/cis/{client.identify(name)}")
    [application] = [one for one in host["components"] if one["class"] == class_]
    return str(application["id"])
