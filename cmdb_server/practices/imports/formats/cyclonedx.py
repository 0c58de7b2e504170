"""CycloneDX bills of materials in JSON (versions 1.2 to 1.6): the software that a named host has installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from cmdb_schemas.report import End, Value
from cmdb_server.practices.imports.entry import Entry, Fault, Link, Options

TITLE = "A CycloneDX bill of materials (JSON) of a host"
MEDIA = "application/vnd.cyclonedx+json"
SOFTWARE = ("application", "framework", "library", "platform")
DEEPEST = 16


def read(text: str, options: Options) -> Iterator[Entry | Fault]:
    """The host with all that it has installed; components are counted from 1, those within others after them."""
    if not options.host:
        yield Fault(0, "host", "say which host has this software installed")
        return
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield Fault(0, "", f"not JSON: {error}")
        return
    if not isinstance(told, dict) or told.get("bomFormat") != "CycloneDX":
        yield Fault(0, "bomFormat", "must be CycloneDX")
        return
    packages: dict[str, Link] = {}
    for row, component in enumerate(_components(told, 0), 1):
        if not isinstance(component, dict) or not isinstance(component.get("name"), str):
            yield Fault(row, "name", "a component has a name")
        elif component.get("type") in SOFTWARE:
            end = _end(component)
            packages[str(end.key)] = Link("installs", end)
    links = tuple(packages[key] for key in sorted(packages))
    yield Entry(1, "computer", f"host:{options.host}", {"name": options.host}, {}, links)


def _components(told: dict[str, Any], depth: int) -> Iterator[Any]:
    inner = told.get("components")
    for one in inner if isinstance(inner, list) and depth < DEEPEST else ():
        yield one
        if isinstance(one, dict):
            yield from _components(one, depth + 1)


def _end(component: dict[str, Any]) -> End:
    """A package is identified by its purl; without one, by one made of its name and version."""
    name, version = component["name"], component.get("version")
    made = f"pkg:generic/{quote(name, safe='')}" + (f"@{quote(str(version), safe='')}" if version else "")
    purl = component["purl"] if isinstance(component.get("purl"), str) else made
    supplier = component.get("supplier")
    vendor = supplier.get("name") if isinstance(supplier, dict) else component.get("publisher")
    attributes = {
        "name": name, "version": version, "vendor": vendor, "cpe": component.get("cpe"),
        "license": " AND ".join(_licences(component)), "package_type": purl.removeprefix("pkg:").partition("/")[0],
        "description": component.get("description"),
    }  # fmt: skip
    told: dict[str, Value] = {name: value for name, value in attributes.items() if isinstance(value, str) and value}
    return End(class_="software_package", key=purl, attributes=told)


def _licences(component: dict[str, Any]) -> Iterator[str]:
    listed = component.get("licenses")
    for one in listed if isinstance(listed, list) else ():
        licence = one.get("license") if isinstance(one, dict) else None
        found = one.get("expression") if isinstance(one, dict) else None
        if isinstance(licence, dict):
            found = licence.get("id") or licence.get("name")
        if isinstance(found, str):
            yield found
