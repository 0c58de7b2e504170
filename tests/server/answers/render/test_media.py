"""Every format that is named has its writer, media type and file suffix."""

from __future__ import annotations

from cmdb_server.answers import graphml
from cmdb_server.answers.render import formats
from cmdb_server.answers.render.media import CALENDARS, DRAWINGS, FORMATS, MEDIA, REPORTS, SUFFIX


def test_names_and_writers_agree() -> None:
    assert tuple(formats._REPORTS) == REPORTS
    assert tuple(formats._DRAWINGS) == DRAWINGS
    assert set(MEDIA) == set(SUFFIX) == {*FORMATS, *CALENDARS}
    assert MEDIA["graphml"] == graphml.MEDIA
