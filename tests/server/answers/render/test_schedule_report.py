from __future__ import annotations

from cmdb_server.answers.render.schedule_report import schedule_report
from cmdb_server.answers.schedule import ScheduleAnswer, Scheduled, ServiceTouched
from cmdb_server.answers.spans import SpanTold
from cmdb_server.answers.told import Named

SHOP, RACK = Named("1", "shop", "business_service"), Named("2", "rack", "rack")


def test_a_thing_in_a_line() -> None:
    one = Scheduled(
        "CHG1", "change", "normal", "scheduled", "move", "ann", 4, 0, "full",
        (SpanTold(0, 3_600_000), SpanTold(7_200_000, None)), (RACK,), (ServiceTouched(SHOP, "ann", "down"),),
        {"spans": 0, "cis": 2, "services": 1},
    )  # fmt: skip
    told = schedule_report(ScheduleAnswer(7, 0, 86_400_000, SHOP, "ann", (one,), 5))
    assert told.verdict == "6 things." and dict(told.facts)["Touching what this stands on"] == "business_service shop"
    (section,) = told.told()
    when, *rest = section.rows[0].cells
    assert isinstance(when, str) and when.endswith("02:00:00.000Z to not known yet") and "01:00:00" in when
    assert rest == ["CHG1", "normal change", "scheduled", "move", "rack, 2 more", "shop down, 1 more", "ann"]
    assert section.more == "5 more things not listed"


def test_nothing() -> None:
    told = schedule_report(ScheduleAnswer(7, 0, 86_400_000, None, None, (), 0))
    assert (told.verdict, told.told()) == ("Nothing.", ())
