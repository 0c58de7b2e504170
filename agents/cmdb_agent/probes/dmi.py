"""What the firmware says about the machine (SMBIOS): maker, model, serial numbers, UUID.

Values are reported as they stand, placeholders included: what to distrust is the server's to decide, over all hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cmdb_agent.component import told
from cmdb_agent.observation import HostFacts
from cmdb_agent.probe import Probe, Variant

_TITLES = {
    "bios information": "bios", "system information": "system", "base board information": "board",
    "chassis information": "chassis", "system enclosure or chassis": "chassis",
}  # fmt: skip


def parse(text: str) -> Iterator[HostFacts]:
    """``dmidecode``, with or without ``-q``."""
    blocks = _blocks(text)
    if not blocks:
        return
    bios, system, board, chassis = (blocks.get(kind, {}) for kind in ("bios", "system", "board", "chassis"))
    identifiers = {
        kind: [value]
        for kind, value in (
            ("serial", system.get("serial number")),
            ("uuid", system.get("uuid")),
            ("board_serial", board.get("serial number")),
            ("chassis_serial", chassis.get("serial number")),
        )
        if value
    }
    yield HostFacts(
        identifiers=identifiers,
        attributes=told(
            {
                "manufacturer": system.get("manufacturer") or system.get("vendor"),
                "model_number": system.get("product name") or system.get("product"),
                "hardware_version": system.get("version"),
                "serial_number": system.get("serial number"),
                "machine_uuid": system.get("uuid"),
                "bios_vendor": bios.get("vendor"),
                "bios_version": bios.get("version"),
                "bios_date": bios.get("release date"),
                "baseboard_manufacturer": board.get("manufacturer"),
                "baseboard_product": board.get("product name"),
                "baseboard_serial": board.get("serial number"),
                "chassis_type": chassis.get("type"),
                "asset_tag": chassis.get("asset tag"),
            }
        ),
    )


def _blocks(text: str) -> dict[str, dict[str, str]]:
    """The first block of each kind that tells anything; some firmware has several boards and empty doubles."""
    blocks: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in text.splitlines():
        body = line.strip()
        if not body or body.startswith("Handle "):
            current = None if not body else current
            continue
        kind = _TITLES.get(body.lower())
        if kind is not None:
            current = {} if kind in blocks else blocks.setdefault(kind, {})
        elif ":" not in body and not line.startswith(("\t\t", "    ")):
            current = None
        elif current is not None and ":" in body:
            name, _, value = body.partition(":")
            current.setdefault(name.strip().lower(), value.strip())
    return blocks


_SYSFS = {
    "sys_vendor": "manufacturer", "product_name": "model_number", "product_version": "hardware_version",
    "product_serial": "serial_number", "product_uuid": "machine_uuid", "bios_vendor": "bios_vendor", "bios_version": "bios_version",
    "bios_date": "bios_date", "board_vendor": "baseboard_manufacturer", "board_name": "baseboard_product",
    "board_serial": "baseboard_serial", "chassis_asset_tag": "asset_tag",
}  # fmt: skip


_SYSFS_IDENTIFIERS = {
    "product_serial": "serial", "product_uuid": "uuid", "board_serial": "board_serial", "chassis_serial": "chassis_serial",
}  # fmt: skip


def parse_sysfs(text: str) -> Iterator[HostFacts]:
    """``name=value`` lines of /sys/class/dmi/id, or of FreeBSD's ``kenv`` and OpenBSD's ``sysctl`` put alike."""
    values = dict(re.findall(r"^(\w+)=(.*\S)\s*$", text, re.MULTILINE))
    yield from _from_sysfs(values)


def _from_sysfs(values: Mapping[str, str]) -> Iterator[HostFacts]:
    pairs = [(kind, values.get(name)) for name, kind in _SYSFS_IDENTIFIERS.items()]
    attributes = {attribute: values.get(name) for name, attribute in _SYSFS.items()}
    facts = HostFacts({kind: [value] for kind, value in pairs if value}, told(attributes))
    if facts.identifiers or facts.attributes:
        yield facts


_SYSFS_COMMAND = """\
cd /sys/class/dmi/id && for f in sys_vendor product_name product_version product_serial product_uuid bios_vendor \
bios_version bios_date board_vendor board_name board_serial chassis_serial chassis_asset_tag; do
  if [ -r $f ]; then echo "$f=`cat $f 2>/dev/null`"; fi
done
:"""
_KENV_COMMAND = """\
for p in sys_vendor:system.maker product_name:system.product product_version:system.version \
product_serial:system.serial product_uuid:system.uuid bios_vendor:bios.vendor bios_version:bios.version \
bios_date:bios.reldate board_serial:planar.serial chassis_serial:chassis.serial; do
  echo "${p%%:*}=`kenv -q smbios.${p#*:}`"
done
:"""

PROBE = Probe(
    "dmi",
    (
        Variant(
            "/usr/sbin/dmidecode -q", parse, when="[ -x /usr/sbin/dmidecode ] && [ -d /sys/class/dmi/id ]", sudo=True
        ),
        Variant(_KENV_COMMAND, parse_sysfs, when="command -v kenv"),
        Variant(_SYSFS_COMMAND, parse_sysfs, when="[ -d /sys/class/dmi/id ]", partial_without_sudo=True),
    ),
)
