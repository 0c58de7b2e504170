from __future__ import annotations

import pytest

from cmdb_server.practices.imports.formats import formats


def test_formats_are_found_by_listing() -> None:
    assert set(formats()) == {"ansible", "csv", "cyclonedx", "json", "netbox"}
    assert all(format_.title and format_.media for format_ in formats().values())


def test_entries_are_plain_values() -> None:
    from cmdb_server.practices.imports.entry import Entry

    entry = Entry(1, "server", "k", {})
    with pytest.raises(AttributeError):
        entry.row = 2  # type: ignore[misc]
