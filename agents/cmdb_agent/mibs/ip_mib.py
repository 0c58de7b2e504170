"""IP-MIB: the addresses of each interface, from the old table for IPv4 and the new one for both."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cmdb_agent.component import component
from cmdb_agent.interface_index import INTERFACE, Ports
from cmdb_agent.observation import Fact, HostFacts, Value
from cmdb_agent.probe import Mib
from cmdb_agent.smi import OID, Raw, Walks, counted, inet_address, ip, last_arc, number, oid, rows

ADDR_TABLE = oid("1.3.6.1.2.1.4.20")
ADDRESS_TABLE = oid("1.3.6.1.2.1.4.34")

_OLD_IF_INDEX, _NET_MASK = 2, 3
_IF_INDEX, _TYPE, _PREFIX = 3, 4, 5
_UNICAST = 1


def addresses(walks: Walks) -> dict[tuple[int, str], int | None]:
    """(ifIndex, address) -> prefix length, None where it was not told. Broadcast and anycast ones are left out."""
    found: dict[tuple[int, str], int | None] = {}
    for index, row in rows(walks, ADDR_TABLE).items():
        address, interface = ip(bytes(index)) if len(index) == 4 and max(index) < 256 else None, row.get(_OLD_IF_INDEX)
        if address and (number_ := number(interface)):
            found[number_, address] = _mask_length(row.get(_NET_MASK))
    for index, row in rows(walks, ADDRESS_TABLE).items():
        address = _address(index)
        if address and (number_ := number(row.get(_IF_INDEX))) and number(row.get(_TYPE)) in (_UNICAST, None):
            length = _pointed_length(row.get(_PREFIX), address)
            found[number_, address] = length if length is not None else found.get((number_, address))
    return found


def parse(walks: Walks) -> Iterator[Fact]:
    ports = Ports(walks)
    by_port: dict[str, list[tuple[str, int | None]]] = {}
    every = addresses(walks)
    for (index, address), length in every.items():
        port = ports.get(index)
        if port and _is_own(address):
            by_port.setdefault(port.key, []).append((address, length))
    for key, held in sorted(by_port.items()):
        attributes: dict[str, Value] = {
            "ip_addresses": [*sorted({address for address, _ in held})],
            "prefixes": [*sorted(f"{address}/{length}" for address, length in held if length is not None)],
        }
        yield component(INTERFACE, key, attributes)
    yield HostFacts(attributes={"ip_addresses": [*sorted({address for _, address in every if _is_own(address)})]})


def _address(index: OID) -> str | None:
    octets, _ = counted(index[1:])
    return inet_address(index[0], octets) if all(octet < 256 for octet in octets) else None


def _mask_length(value: Raw) -> int | None:
    mask = ip(value)
    if mask is None or ":" in mask or mask == "0.0.0.0":  # noqa: S104 - so an agent says that it does not know
        return None
    bits = int(ipaddress.IPv4Address(mask))
    length = bits.bit_count()
    return length if bits == (2**32 - 2 ** (32 - length)) else None


def _pointed_length(value: Raw, address: str) -> int | None:
    """ipAddressPrefix points into ipAddressPrefixTable, whose index ends with the length; 0.0 points nowhere."""
    length = last_arc(value)
    longest = 128 if ":" in address else 32
    return length if length and str(value).count(".") > 4 and length <= longest else None


def _is_own(address: str) -> bool:
    """Loopback and link-local addresses are alike on every device."""
    parsed = ipaddress.ip_address(address)
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified or parsed.is_multicast)


MIB = Mib("ip_mib", (ADDR_TABLE, ADDRESS_TABLE), parse)
