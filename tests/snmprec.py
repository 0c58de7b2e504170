"""Recorded SNMP devices: reads ``.snmprec`` files (the format is snmpsim's: ``OID|tag|value`` a line, the tag being the
ASN.1 tag number, with an ``x`` when the value is hexadecimal), replays them as an ``SnmpTransport``, and serves them
over UDP on loopback to the real libraries."""

from __future__ import annotations

import socket
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from cmdb_agent.observation import Varbind, Walk
from cmdb_agent.transports.walker import Limits, walk

OID = tuple[int, ...]
END = Varbind((), None, "end")

_TYPES = {
    2: "integer", 4: "string", 5: "null", 6: "oid", 64: "address", 65: "counter", 66: "gauge", 67: "ticks",
    68: "string", 70: "counter64",
}  # fmt: skip
_TAGS = {name: tag for tag, name in _TYPES.items() if tag != 68}


def oid(text: str) -> OID:
    return tuple(map(int, text.split(".")))


def read(path: Path) -> list[Varbind]:
    """The rows of one recording in OID order. Lines without a numeric OID are no rows; of two with the same OID the
    first counts, as an agent would answer with one."""
    return rows_of(path.read_bytes().splitlines())


def rows_of(lines: Iterable[bytes | str]) -> list[Varbind]:
    """The rows of ``OID|tag|value`` lines."""
    rows: dict[OID, Varbind] = {}
    for text in lines:
        line = text.encode() if isinstance(text, str) else text
        name, _, rest = line.partition(b"|")
        tag, _, value = rest.partition(b"|")
        if name and all(part.isdigit() for part in name.split(b".")):
            varbind = _varbind(oid(name.decode()), tag.decode(), value)
            rows.setdefault(varbind.oid, varbind)
    return [rows[key] for key in sorted(rows)]


def _varbind(name: OID, tag: str, value: bytes) -> Varbind:
    content = bytes.fromhex(value.decode()) if tag.endswith("x") else value
    kind = _TYPES[int(tag.rstrip("x"))]
    if kind == "string":
        return Varbind(name, content, kind)
    if kind == "null":
        return Varbind(name, None, kind)
    if kind == "address":
        return Varbind(name, ".".join(map(str, content)) if tag.endswith("x") else content.decode(), kind)
    if kind == "oid":
        return Varbind(name, content.decode().lstrip("."), kind)
    # Some recordings hold decimals where the type says integer.
    return Varbind(name, int(content) if b"." not in content else int(float(content)), kind)


class Recording:
    """A device that answers from memory: an ``SnmpTransport`` without a network."""

    def __init__(self, rows: Iterable[Varbind], limits: Limits | None = None) -> None:
        self.rows = {row.oid: row for row in rows}
        self.oids = sorted(self.rows)
        self.limits = limits or Limits()

    @classmethod
    def of(cls, path: Path) -> Recording:
        return cls(read(path))

    def get(self, oids: Sequence[OID]) -> Iterator[Varbind]:
        return (self.rows[name] for name in oids if name in self.rows)

    def getbulk(self, after: OID, repetitions: int) -> list[Varbind]:
        start = bisect_right(self.oids, after)
        found = [self.rows[name] for name in self.oids[start : start + repetitions]]
        return found if len(found) == repetitions else [*found, END]

    def walk(self, root: OID) -> Walk:
        return walk(self.getbulk, root, self.limits)

    def close(self) -> None:
        pass


# --- the wire, as far as a v2c responder needs it (RFC 3416, X.690) ---


def _length(size: int) -> bytes:
    if size < 128:
        return bytes([size])
    packed = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(packed)]) + packed


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + _length(len(content)) + content


def _integer(value: int, tag: int = 2) -> bytes:
    return _tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _arc(arc: int) -> bytes:
    packed = [arc & 0x7F]
    while arc := arc >> 7:
        packed.append(0x80 | (arc & 0x7F))
    return bytes(reversed(packed))


def _oid(name: OID) -> bytes:
    return _tlv(6, bytes([name[0] * 40 + name[1]]) + b"".join(map(_arc, name[2:])))


def encode(varbind: Varbind) -> bytes:
    value, tag = varbind.value, _TAGS.get(varbind.type, 0x82)
    if isinstance(value, bytes):
        content = _tlv(tag, value)
    elif isinstance(value, int):
        content = _integer(value, tag)
    elif varbind.type == "address":
        content = _tlv(tag, bytes(map(int, str(value).split("."))))
    elif varbind.type == "oid":
        content = _oid(oid(str(value)) if value and "." in str(value) else (0, 0))
    else:
        content = _tlv(tag, b"")
    return _tlv(0x30, _oid(varbind.oid) + content)


def _read(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag, content and where the next element begins."""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    return tag, data[at : at + size], at + size


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, content, at = _read(data, at)
        yield tag, content


def _decode_oid(content: bytes) -> OID:
    arcs, arc = [content[0] // 40, content[0] % 40], 0
    for byte in content[1:]:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    return tuple(arcs)


GET, GETNEXT, GETBULK = 0xA0, 0xA1, 0xA5
Answer = Sequence[Varbind] | int | bytes | None
"""Rows, an error status, raw bytes to send instead of an answer, or silence."""
Behaviour = Callable[[int, list[OID], int], Answer]
"""``behave(pdu, oids, repetitions)``."""


class Responder:
    """A v2c agent on loopback for one community. Use as a context manager; ``port`` is where it listens."""

    def __init__(self, recording: Recording, behave: Behaviour | None = None, community: str = "public") -> None:
        self._recording, self._behave, self._community = recording, behave or self.answer, community.encode()
        self._encoded: dict[OID, bytes] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Responder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        stop = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stop.sendto(b"", ("127.0.0.1", self.port))
        stop.close()
        self._thread.join()
        self._socket.close()

    def answer(self, pdu: int, oids: list[OID], repetitions: int) -> Answer:
        if pdu == GET:
            return [self._recording.rows.get(name, Varbind(name, None, "end")) for name in oids]
        found = self._recording.getbulk(oids[0], repetitions if pdu == GETBULK else 1)
        last = found[-2].oid if len(found) > 1 else oids[0]
        return [row if row.oid else Varbind(last, None, "end") for row in found]

    def _serve(self) -> None:
        while data := self._socket.recvfrom(65535):
            message, peer = data
            if not message:
                return
            if (reply := self._reply(message)) is not None:
                self._socket.sendto(reply, peer)

    def _reply(self, message: bytes) -> bytes | None:
        _, body, _ = _read(message, 0)
        (_, _version), (_, community), (pdu, content) = _elements(body)
        if community != self._community:
            return None
        (_, request), (_, _), (_, repetitions), (_, varbinds) = _elements(content)
        names = [_decode_oid(next(_elements(row))[1]) for _, row in _elements(varbinds)]
        answer = self._behave(pdu, names, int.from_bytes(repetitions, "big"))
        if answer is None or isinstance(answer, bytes):
            return answer
        status, rows = (answer, varbinds) if isinstance(answer, int) else (0, self._rows(answer))
        body = _tlv(2, request) + _integer(status) + _integer(0) + _tlv(0x30, rows)
        return _tlv(0x30, _integer(1) + _tlv(4, community) + _tlv(0xA2, body))

    def _rows(self, rows: Sequence[Varbind]) -> bytes:
        return b"".join(
            self._encoded.setdefault(row.oid, encode(row)) if row.type != "end" else encode(row) for row in rows
        )


def bisected(names: Sequence[OID], root: OID) -> Sequence[OID]:
    """Those of the ordered ``names`` that lie below ``root``."""
    return names[bisect_left(names, root) : bisect_left(names, (*root[:-1], root[-1] + 1))]
