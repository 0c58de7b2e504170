"""GraphML, written piece by piece: whatever is told as a value is a value, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

import msgspec

MEDIA = "application/graphml+xml"
TAIL = "</graph>\n</graphml>\n"
_FORBIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535, *range(55296, 57344)), "�")
"""Characters that XML 1.0 cannot hold."""
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns '
    'http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
)
_TYPES = {frozenset({bool}): "boolean", frozenset({int}): "long", frozenset({float}): "double",
          frozenset({int, float}): "double"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """What nodes or edges tell, by the name ``name``. ``key``: how the file refers to it."""

    of: Literal["node", "edge"]
    key: str
    name: str
    type: str = "string"


def type_of(types: Iterable[type]) -> str:
    """The GraphML type that holds values of all these types."""
    return _TYPES.get(frozenset(types), "string")


def head(columns: Iterable[Column]) -> str:
    """All before the first node."""
    told = "".join(
        f'<key id="{one.key}" for="{one.of}" attr.name={_quoted(one.name)} attr.type="{one.type}"/>\n'
        for one in columns
    )
    return f'{_HEAD}{told}<graph id="cmdb" edgedefault="directed">\n'


def node(id_: str, values: Mapping[str, Any]) -> str:
    """``values``: by key; None is left out."""
    return f"<node id={_quoted(id_)}>{_data(values)}</node>\n"


def edge(source: str, target: str, values: Mapping[str, Any]) -> str:
    """``values``: by key; None is left out."""
    return f"<edge source={_quoted(source)} target={_quoted(target)}>{_data(values)}</edge>\n"


def cell(value: Any) -> str:
    """A value in one cell: a text as it is, anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()


def _data(values: Mapping[str, Any]) -> str:
    return "".join(
        f'<data key="{key}">{escape(cell(value).translate(_FORBIDDEN))}</data>'
        for key, value in values.items()
        if value is not None
    )


def _quoted(text: str) -> str:
    return quoteattr(text.translate(_FORBIDDEN))
