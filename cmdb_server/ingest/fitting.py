"""Whether what a report says of a thing's attributes is what its class means by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cmdb_schemas.ci_class import CIClass, check_value
from cmdb_schemas.report import Observation
from cmdb_server.errors import Invalid


def check_values(seen: Observation, kinds: Mapping[str, CIClass], path: str) -> None:
    """Raise Invalid with the path of each value that does not fit its attribute. Attributes that the class does not
    know are let through: an agent may be newer than the server, and a class may learn of them."""
    faults = list(_faults(kinds.get(seen.class_), seen.attributes, path))
    for at, part in enumerate(seen.components):
        faults += _faults(kinds.get(part.class_), part.attributes, f"{path}.components[{at}]")
    if faults:
        raise Invalid("; ".join(f"{fault['path']}: {fault['message']}" for fault in faults[:5]), errors=faults)


def _faults(class_: CIClass | None, attributes: Mapping[str, Any], path: str) -> Iterator[dict[str, str]]:
    known = class_.attributes if class_ is not None else {}
    for name, value in attributes.items():
        attribute = known.get(name)
        if attribute is not None and (problem := check_value(attribute, value)) is not None:
            yield {"path": f"{path}.attributes.{name}", "message": problem}
