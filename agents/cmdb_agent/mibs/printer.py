"""Printer-MIB: a printer's serial number; what is left of its supplies, and pages printed, as samples."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_agent.component import told
from cmdb_agent.observation import Fact, HostFacts, Sample
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Walks, number, oid, rows, text

GENERAL_TABLE = oid("1.3.6.1.2.1.43.5.1")
MARKER_TABLE = oid("1.3.6.1.2.1.43.10.2")
SUPPLIES_TABLE = oid("1.3.6.1.2.1.43.11.1")

_NAME, _SERIAL = 16, 17
_LIFE_COUNT = 4
_DESCR, _MAXIMUM, _LEVEL = 6, 8, 9


def parse(walks: Walks) -> Iterator[Fact]:
    for row in rows(walks, GENERAL_TABLE).values():
        serial = text(row.get(_SERIAL))
        yield HostFacts({"serial": [serial]} if serial else {}, told({"serial_number": serial}), "printer")
    for row in rows(walks, MARKER_TABLE).values():
        if (count := number(row.get(_LIFE_COUNT))) is not None and count >= 0:
            yield Sample("", "printer.pages", float(count), "{page}", "counter")
    for index, row in rows(walks, SUPPLIES_TABLE).items():
        maximum, level = number(row.get(_MAXIMUM)), number(row.get(_LEVEL))
        # Negative numbers say "unknown" and "something is left".
        if maximum and level is not None and maximum > 0 and level >= 0:
            label = text(row.get(_DESCR)) or str(index[-1])
            yield Sample("", f"printer.supply.level/{label}"[:256], level / maximum)


MIB = Mib("printer", (GENERAL_TABLE, MARKER_TABLE, SUPPLIES_TABLE), parse)
