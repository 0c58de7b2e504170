"""Cron's tables read as jobs."""

from __future__ import annotations

import pytest

from cmdb_agent.observation import ConfigFile
from cmdb_agent.scheduled_jobs import scheduled_jobs


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("/etc/cron.d/x", "*/5 * * * * nobody /usr/local/bin/report.sh -v", ("report", "*/5 * * * *", "nobody")),
        (
            "/etc/crontab",
            "17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly",
            ("cron.hourly", "17 *\t* * *", "root"),
        ),
        ("/var/spool/cron/crontabs/ops", "@daily nice -n 10 backup --all", ("backup", "@daily", "ops")),
        (
            "/var/spool/cron/ops",
            "0 3 * * mon-fri flock -n /tmp/lock /opt/etl/etl.py",
            ("lock", "0 3 * * mon-fri", "ops"),
        ),
        ("/etc/cron.d/x", "MAILTO=ops@example.com", None),
        ("/etc/cron.d/x", "# 1 2 3 4 5 root no", None),
        ("/etc/other", "*/5 * * * * nobody /usr/local/bin/report", None),
    ],
)
def test_lines(path: str, line: str, expected: tuple[str, str, str] | None) -> None:
    jobs = list(scheduled_jobs([ConfigFile(path, line)]))
    assert [(job.name, job.schedule, job.user) for job in jobs] == ([expected] if expected else [])


def test_scripts_belong_to_the_line_that_names_them() -> None:
    configs = [
        ConfigFile("/etc/cron.d/x", "0 1 * * * root PGPASSWORD=hunter2secret /opt/r/report"),
        ConfigFile("/opt/r/report", "psql -h db1"),
        ConfigFile("/etc/cron.daily/sync", "rsync -a /srv backup.example.com:/data/"),
    ]
    table, daily = scheduled_jobs(configs)
    assert table.texts[1:] == ("psql -h db1",)
    assert "hunter2secret" not in table.command
    assert (daily.name, daily.schedule, daily.texts) == ("sync", "@daily", (configs[2].text,))
