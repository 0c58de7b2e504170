"""A recording answers as the host or device did, whatever has become of the script since."""

from __future__ import annotations

import pytest

from cmdb_agent import script
from cmdb_agent.errors import TransportError
from cmdb_agent.probes import probes
from cmdb_agent.scan import scan_one
from cmdb_agent.settings import load
from cmdb_agent.targets import Target
from demo.recording import FOLDER, RecordedDevice, RecordedShell, Section, estate, read_device, read_host, write_host

MARKER = "0123456789abcdef"


def test_a_host_is_read_back_as_it_was_written() -> None:
    sections = {
        "uptime": Section("cat /proc/uptime", 0, "1.0 2.0\n"),
        "names": Section("set --\nfor f in x; do\n:\ndone", 3, "\n%% almost\n"),
        "containers": Section(None, 0, ""),
        "own-session": Section("", 0, "uid=0\n"),
    }
    assert read_host(write_host(sections)) == sections


def test_sections_answer_as_the_variant_that_holds_their_command() -> None:
    probe = next(probe for probe in probes() if len(probe.variants) > 1)
    shell = RecordedShell(
        {probe.name: Section(probe.variants[1].command, 0, "told"), "memory": Section(None, 0, "")}, "10.0.0.1"
    )
    outputs = script.read_sections(shell.run(script.build(probes(), marker=MARKER)).text, MARKER)
    assert [(one.section, one.variant, one.text) for one in outputs] == [(probe.name, 1, "told"), ("memory", -1, "")]


def test_another_script_is_refused() -> None:
    with pytest.raises(TransportError):
        RecordedShell({}, "").run("uname -a")


def test_a_device_answers_get_and_walk_like_an_agent() -> None:
    rows = read_device("# made; answers at 10.0.0.1\n1.3.10|4x|00ff\n1.3.9|2|7\n1.4.1|6|1.3.6\n")
    device = RecordedDevice(rows)
    assert [row.oid for row in device.walk((1, 3)).varbinds] == [(1, 3, 9), (1, 3, 10)]
    assert [row.value for row in device.get([(1, 3, 10), (1, 3, 11), (1, 4, 1)])] == [b"\x00\xff", "1.3.6"]


@pytest.mark.parametrize("target", estate()[0], ids=lambda target: target.name)
def test_the_estate_is_read_without_a_fault(target: Target) -> None:
    report = scan_one(target, load(environ={}), estate()[1])
    assert report.errors == [] and len(report.content) > 1000


def test_recordings_hold_no_trace_of_where_they_were_made() -> None:
    for path in sorted(FOLDER.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert "cmdblab" not in text and "root@" not in text
