from __future__ import annotations

from cmdb_server.answers.intervals import Booked, intervals
from cmdb_server.answers.render.intervals_report import intervals_report
from tests.shop import VIEWER, Shop

HOUR = 3_600_000


def test_times_are_told_of_services_cis_and_pieces(shop: Shop) -> None:
    failures = [Booked((shop.ids["db"],), ((HOUR, 2 * HOUR), (3 * HOUR, None)))]
    told = intervals_report(intervals(shop.projections, VIEWER, (0, None), failures, limit=1))
    assert told.verdict == "2 services are hit." and told.title.endswith(" to open")
    services, cis, pieces = told.sections
    name, class_, *_, long, down, degraded = services.rows[0].cells
    assert (name, class_, long, degraded) == ("shop", "business_service", "no end known", "")
    assert isinstance(down, str) and down.startswith("1970-01-01T01:00:00") and down.endswith("to not known yet")
    assert services.more == "1 more services not listed" and cis.rows[0].cells[0] == "app"
    assert pieces.rows[0].cells[1] == ""
    short = intervals_report(
        intervals(shop.projections, VIEWER, (0, 24 * HOUR), [Booked((shop.ids["db"],), ((0, HOUR),))])
    )
    assert short.sections[0].rows[0].cells[-3] == "60 minutes"
