"""Values of attributes as they are written at the command line: read by the type that the CI's class gives them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cmdb_server.cli.client import Client, segment
from cmdb_server.cli.exits import USAGE, fail

TEXTS = frozenset({"string", "uri", "reference", "date", "duration", "ip_address", "mac_address"})
"""Types whose values are texts, whatever they look like: an ``os_version`` is 12, and not the number."""


def attribute_values(client: Client, class_: str, texts: Iterable[str]) -> dict[str, Any]:
    """``ATTRIBUTE=VALUE`` -> attribute -> value. What does not fit is left for the server to refuse."""
    types = _types(client, class_) if texts else {}
    return {name: read(types.get(name), value) for name, value in settings(texts)}


def settings(texts: Iterable[str], what: str = "ATTRIBUTE") -> Iterator[tuple[str, str]]:
    """(name, value as written) of each ``--set NAME=VALUE``. ``what``: what the names are of."""
    for text in texts:
        name, found, value = text.partition("=")
        if not found:
            fail(USAGE, f"--set {text}: write {what}=VALUE")
        yield name, value


def attribute_value(client: Client, class_: str, name: str, text: str) -> Any:
    """One value, of the attribute of that name."""
    return read(_types(client, class_).get(name), text)


def read(type_: str | None, text: str) -> Any:
    """A text where the type is one of TEXTS, quoted as JSON or not; else JSON, or the text when it is none."""
    if type_ in TEXTS and not (len(text) > 1 and text.startswith('"') and text.endswith('"')):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _types(client: Client, class_: str) -> Mapping[str, str]:
    """Attribute -> the type of its only value; of lists, and of a class that there is not, nothing."""
    known = client.find(f"/classes/{segment(class_)}")
    return {} if known is None else {one["name"]: one["type"] for one in known["attributes"] if not one["many"]}
