"""Records for tests, from raw identifiers."""

from __future__ import annotations

from collections.abc import Sequence

from cmdb_server.model.normalise import normalise
from cmdb_server.model.record import Record


def record(
    id_: str,
    *,
    source: str = "ssh",
    address: str | None = None,
    key: str | None = None,
    seen: Sequence[tuple[int, int]] = ((0, 10),),
    family: str = "computer",
    maker: str | None = None,
    declared: bool = False,
    **identifiers: str | Sequence[str],
) -> Record:
    """A record ``seen`` in these runs."""
    raw = {kind: [told] if isinstance(told, str) else told for kind, told in identifiers.items()}
    return Record(
        id=id_, source=source, site="main", target=address or "", native_key=key, class_=family, family=family,
        identifiers=normalise(raw, manufacturer=maker), address=address, intervals=tuple(seen), declared=declared,
        first_at=seen[0][0],
    )  # fmt: skip
