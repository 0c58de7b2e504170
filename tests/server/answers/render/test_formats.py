from __future__ import annotations

import pytest

from cmdb_server.answers.paths import path
from cmdb_server.answers.render.formats import rendered
from cmdb_server.answers.render.media import CALENDARS, DRAWINGS, FORMATS, MEDIA, REPORTS, SUFFIX
from cmdb_server.answers.render.report import Report
from cmdb_server.answers.requires import requires
from cmdb_server.answers.services import services_of
from cmdb_server.answers.single_points import single_points_of
from tests.shop import VIEWER, Shop


def test_every_format_has_a_media_type_and_a_suffix() -> None:
    assert set(MEDIA) == set(SUFFIX) == {*FORMATS, *CALENDARS}
    assert set(FORMATS) == {*REPORTS, *DRAWINGS}


@pytest.mark.parametrize("format_", FORMATS)
def test_each_answer_is_written_in_each_format(shop: Shop, format_: str) -> None:
    ci, asked = shop.ids["web1"], (shop.projections, VIEWER)
    for answer in (
        shop.impact("web1"), requires(*asked, shop.ids["shop"]), services_of(*asked, ci),
        path(*asked, ci, shop.ids["shop"]),
    ):  # fmt: skip
        assert "web1" in rendered(answer, format_)


def test_what_has_no_drawing_has_a_report(shop: Shop) -> None:
    answer = single_points_of(shop.projections, VIEWER, shop.ids["shop"])
    assert "db-host" in rendered(answer, "markdown")
    for format_ in ("dot", "ics"):
        with pytest.raises(KeyError):
            rendered(answer, format_)
    assert rendered(Report("a", "b", (), ()), "markdown") == "# a\n\n**b**\n\n"
