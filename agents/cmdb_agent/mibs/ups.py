"""UPS-MIB: what a UPS is; its battery and load as samples."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_agent.component import told
from cmdb_agent.observation import Fact, HostFacts, Sample, Value
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Walks, number, oid, rows, scalar, text

IDENT = oid("1.3.6.1.2.1.33.1.1")
BATTERY = oid("1.3.6.1.2.1.33.1.2")
OUTPUT_TABLE = oid("1.3.6.1.2.1.33.1.4.4")
CONFIG = oid("1.3.6.1.2.1.33.1.9")

_MANUFACTURER, _MODEL, _SOFTWARE = (*IDENT, 1), (*IDENT, 2), (*IDENT, 3)
_RATED_VA, _RATED_W = (*CONFIG, 5), (*CONFIG, 6)
_LOAD = 5
_BATTERY = (
    ("ups.battery.time_left", 3, 60, "s"),
    ("ups.battery.charge", 4, 0.01, "1"),
    ("ups.battery.temperature", 7, 1, "Cel"),
)


def parse(walks: Walks) -> Iterator[Fact]:
    manufacturer, model = text(scalar(walks, _MANUFACTURER)), text(scalar(walks, _MODEL))
    if not manufacturer and not model:
        return
    yield HostFacts(
        {},
        told(
            {
                "manufacturer": manufacturer,
                "model_number": model,
                "firmware_version": text(scalar(walks, _SOFTWARE)),
                "rated_apparent_power": _quantity(number(scalar(walks, _RATED_VA)), "VA"),
                "rated_power": _quantity(number(scalar(walks, _RATED_W)), "W"),
            }
        ),
        "ups",
    )
    for name, arc, scale, unit in _BATTERY:
        if value := number(scalar(walks, (*BATTERY, arc))):
            yield Sample("", name, float(value * scale), unit)
    for index, row in rows(walks, OUTPUT_TABLE).items():
        if (load := number(row.get(_LOAD))) is not None:
            yield Sample("", f"ups.output.load/{index[0]}", load / 100)


def _quantity(value: int | None, unit: str) -> Value:
    return {"value": value, "unit": unit} if value and value > 0 else None


MIB = Mib("ups", (IDENT, BATTERY, OUTPUT_TABLE, CONFIG), parse)
