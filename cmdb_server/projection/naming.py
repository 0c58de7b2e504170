"""Finding CIs by a part of their name, over the one text that holds all names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cmdb_server.projection.projection import DELETED, GONE, Projection


def named(projection: Projection, part: str) -> Iterator[int]:
    """The numbers of the CIs whose name holds ``part`` (in lower case), in the projection's order. Of names, ASCII
    letters are taken as lower case: others may change their length, and with it where each name begins."""
    names, wanted = projection.names, part.encode("utf-8", "surrogatepass")
    text, met, at = names.text.tobytes().lower(), -1, 0
    while (place := text.find(wanted, at)) >= 0:
        ci = int(np.searchsorted(names.offsets, place, "right")) - 1
        end = int(names.offsets[ci + 1])
        if place + len(wanted) > end:  # it runs from one name into the next
            at = place + 1
            continue
        if ci > met and ci not in names.changed and _is_there(projection, ci):
            yield ci
        met, at = ci, end
    for ci in sorted(names.changed):
        if part in names[ci].lower() and _is_there(projection, ci):
            yield ci


def _is_there(projection: Projection, ci: int) -> bool:
    return projection.ended_at[ci] not in (GONE, DELETED)
