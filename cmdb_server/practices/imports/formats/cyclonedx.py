"""CycloneDX bills of materials in JSON (versions 1.2 to 1.6): the software that a CI has installed: a host, or an
application on it. Each component is a software package, by its purl."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote

from cmdb_schemas.report import End, Value
from cmdb_server.practices.imports.entry import Entry, Fault, Link, Options

TITLE = "A CycloneDX bill of materials (JSON) of a host or application"
MEDIA = "application/vnd.cyclonedx+json"
OF_SUBJECT = True
SOFTWARE = ("application", "framework", "library", "platform", "operating-system", "firmware", "device-driver")
DEEPEST = 16


def read(text: str, options: Options) -> Iterator[Entry | Fault]:
    """The host with all that it has installed; components are counted from 1, those within others after them."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield Fault(0, "", f"not JSON: {error}")
        return
    if not isinstance(told, dict) or told.get("bomFormat") != "CycloneDX":
        yield Fault(0, "bomFormat", "must be CycloneDX")
        return
    if not options.host:
        yield Fault(0, "host", f"say which CI has this software installed{_about(told)}")
        return
    packages: dict[str, Link] = {}
    for row, component in enumerate(_components(told, 0), 1):
        if not isinstance(component, dict) or not isinstance(component.get("name"), str):
            yield Fault(row, "name", "a component has a name")
        elif component.get("type") in SOFTWARE:
            end = _end(component)
            packages[str(end.key)] = Link("installs", end)
    yield from _installing(tuple(packages[key] for key in sorted(packages)), options)


def _installing(links: tuple[Link, ...], options: Options) -> Iterator[Entry]:
    """The subject with its software: a thing, or a component with all that it is part of."""
    way = options.subject.way if options.subject else (("computer", options.host),)
    above = ""
    for depth, (class_, name) in enumerate(way):
        key = f"{above}/{class_}:{name}" if above else f"host:{options.host}"
        yield Entry(1, class_, key, {"name": name}, {}, links if depth == len(way) - 1 else (), above)
        above = key


def _about(told: dict[str, Any]) -> str:
    """What the bill itself says that it is of: a name that may be anything's."""
    metadata = told.get("metadata")
    component = metadata.get("component") if isinstance(metadata, dict) else None
    name = component.get("name") if isinstance(component, dict) else None
    return f"; the bill is of {name!r}" if isinstance(name, str) else ""


def _components(told: dict[str, Any], depth: int) -> Iterator[Any]:
    inner = told.get("components")
    for one in inner if isinstance(inner, list) and depth < DEEPEST else ():
        yield one
        if isinstance(one, dict):
            yield from _components(one, depth + 1)


def _end(component: dict[str, Any]) -> End:
    """A package is identified by its purl; without one, by one made of its group, name and version."""
    name, version, group = component["name"], component.get("version"), component.get("group")
    spelt = "/".join(quote(one, safe="") for one in (group, name) if isinstance(one, str) and one)
    made = f"pkg:generic/{spelt}" + (f"@{quote(str(version), safe='')}" if version else "")
    purl = component["purl"] if isinstance(component.get("purl"), str) else made
    qualifiers = parse_qs(purl.partition("?")[2].partition("#")[0])
    tag = component.get("swid")
    attributes = {
        "name": name, "version": version, "vendor": _vendor(component), "cpe": component.get("cpe"),
        "license": " AND ".join(_licences(component)), "package_type": purl.removeprefix("pkg:").partition("/")[0],
        "description": component.get("description"), "purl": purl if purl is not made else "",
        "host.arch": qualifiers.get("arch", [""])[0], "homepage": _homepage(component),
        "tag_id": tag.get("tagId") if isinstance(tag, dict) else None,
    }  # fmt: skip
    told: dict[str, Value] = {name: value for name, value in attributes.items() if isinstance(value, str) and value}
    return End(class_="software_package", key=purl, attributes=told)


def _vendor(component: dict[str, Any]) -> Any:
    """Who provides it, or made it: 1.6 tells makers apart from publishers."""
    for role in ("supplier", "manufacturer"):
        told = component.get(role)
        if isinstance(told, dict) and isinstance(told.get("name"), str):
            return told["name"]
    return component.get("publisher") or component.get("author")


def _homepage(component: dict[str, Any]) -> Any:
    listed = component.get("externalReferences")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get("type") == "website":
            return one.get("url")
    return None


def _licences(component: dict[str, Any]) -> Iterator[str]:
    listed = component.get("licenses")
    for one in listed if isinstance(listed, list) else ():
        licence = one.get("license") if isinstance(one, dict) else None
        found = one.get("expression") if isinstance(one, dict) else None
        if isinstance(licence, dict):
            found = licence.get("id") or licence.get("name")
        if isinstance(found, str):
            yield found
