"""Containers that run on the host, as its container engine lists them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from cmdb_agent.component import component
from cmdb_agent.observation import Component
from cmdb_agent.probe import Probe, Variant


def parse_json(text: str) -> Iterator[Component]:
    """``docker ps --no-trunc --format '{{json .}}'``: one object a line. Podman prints one array."""
    for line in text.splitlines() if not text.lstrip().startswith("[") else [text]:
        if line.strip():
            rows = json.loads(line)
            for row in rows if isinstance(rows, list) else [rows]:
                names = row.get("Names") or row.get("Id") or row.get("ID") or ""
                name = names[0] if isinstance(names, list) else str(names).split(",")[0]
                yield _container(
                    name, str(row.get("ID") or row.get("Id") or ""), str(row.get("Image") or ""), row.get("Ports")
                )


def parse_table(text: str) -> Iterator[Component]:
    """``docker ps``: columns stand below their titles."""
    lines = text.splitlines()
    if not lines or "NAMES" not in lines[0]:
        return
    titles = ("CONTAINER ID", "IMAGE", "COMMAND", "PORTS", "NAMES")
    starts = {title: lines[0].find(title) for title in titles}
    ends = {
        start: min((other for other in starts.values() if other > start), default=None) for start in starts.values()
    }
    for line in lines[1:]:
        cells = {title: line[start : ends[start]].strip() for title, start in starts.items()}
        if cells["NAMES"]:
            yield _container(cells["NAMES"], cells["CONTAINER ID"], cells["IMAGE"].split()[0], cells["PORTS"])


def _container(name: str, id_: str, image: str, ports: object) -> Component:
    told = ports if isinstance(ports, str) else ""
    published: list[str] = sorted({part.strip() for part in told.split(",") if "->" in part})
    return component(
        "container",
        name,
        {
            "name": name,
            "container.name": name,
            "container.image.name": image,
            "container.id": id_,
            "published_ports": published,
        },
        {"container_id": [id_] if len(id_) == 64 else []},
    )


_FORMAT = "ps --no-trunc --format '{{json .}}'"

PROBE = Probe(
    "containers",
    (
        Variant(f"docker {_FORMAT}", parse_json, when=f"docker {_FORMAT}"),
        Variant("podman ps --no-trunc --format json", parse_json, when="podman ps --format json"),
    ),
)
