"""The wire: what an agent reports to the server, version 1.

Agents in the field outlive servers, so this shape only grows. A report tells what one scan (or one part of it) saw
in one scope; it names no configuration item, only what was observed. Times are RFC 3339 strings with an offset.

The observations travel as one opaque JSON value (``Report.content``) so that a server can compare its digest with
the last one of the same scope and, when they are equal, store nothing but the time.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct, field

VERSION = 1
OLDEST_SERVED = 1
"""The oldest version a server still decodes: one behind the newest, once there is a second."""

Name = Annotated[str, Meta(min_length=1, max_length=256)]
Text = Annotated[str, Meta(max_length=65_536)]
Confidence = Annotated[float, Meta(ge=0, le=1)]
Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""What 64 bits hold, as stores and most readers of JSON do."""
Scalar = str | Integer | float | bool | None
Value = str | Integer | float | bool | list[str | Integer | float] | dict[str, Scalar | dict[str, Scalar]] | None
"""An attribute's value. A quantity is ``{"value": 8, "unit": "GiB"}``, money ``{"amount": 1999, "currency": "EUR"}``
in minor units; gates by relation type are objects in an object. ``None`` and empty values say "not told": they never
overwrite."""

CoverageStatus = Literal["complete", "partial", "failed", "truncated", "loop", "timeout", "undecodable", "unsupported"]


class Scope(Struct, frozen=True, forbid_unknown_fields=True):
    """What a scan set out to cover. ``target`` is an address, a CIDR range, ``local`` or a collector's name
    (``vcenter-1``); ``probe`` names the set of probes (``host``, ``snmp``, ``inventory``)."""

    target: Name
    probe: Name = "host"


class Scan(Struct, frozen=True, forbid_unknown_fields=True):
    """One run over a scope, told in ``parts`` reports. It is complete once all parts have arrived."""

    id: Name
    part: Annotated[int, Meta(ge=1, le=100_000)] = 1
    parts: Annotated[int, Meta(ge=1, le=100_000)] = 1


class Coverage(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of one section (a probe's or a MIB's part of the scan) was read. ``unsupported``: the device does not
    have it, which is an answer. Only ``complete`` lets absence mean anything."""

    section: Name
    status: CoverageStatus
    detail: Text = ""


class End(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The far end of a relation, by exactly one of these ways:

    - ``ref``: something of the same observation (``""`` is the observed thing itself);
    - ``native_key``: another thing of the same source, by that source's own key;
    - ``identifiers``: kind -> values, matched by identity (an LLDP chassis id, a serial number);
    - ``address`` with optional ``port`` and ``protocol``: whoever held that address when this was observed;
    - ``class`` and ``key``: a CI of a class that is identified by content (a package's purl, a certificate's
      SHA-256); it comes to be by being named, with ``attributes``;
    - ``class`` and ``name``: a CI of a class without discovery (a service, a location), by its name;
    - ``ci``: a CI by its id. People may say so; an agent, which knows no CI, may not.
    """

    ref: str | None = None
    native_key: Name | None = None
    identifiers: dict[Name, list[Name]] | None = None
    address: Name | None = None
    port: Annotated[int, Meta(ge=0, le=65_535)] | None = None
    protocol: Literal["tcp", "udp", "sctp"] | None = None
    class_: Name | None = field(name="class", default=None)
    key: Name | None = None
    name: Name | None = None
    ci: Name | None = None
    attributes: dict[Name, Value] = {}


class Relation(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """``from_`` (a ref of this observation, or another end) stands in relation ``type`` to ``to``.

    ``evidence`` says in one line how it was seen; nothing in a relation may move at every scan (ephemeral ports and
    counts are samples). ``transient``: seen only in passing (TIME-WAIT). ``group`` names the redundancy group.
    """

    type: Name
    to: End
    from_: End = field(name="from", default_factory=lambda: End(ref=""))
    evidence: Text = ""
    confidence: Confidence = 1.0
    transient: bool = False
    group: Name | None = None
    weight: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    section: Name | None = None


class Component(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A dependent CI of the observed thing: an interface, a file system, an application. ``local_key`` is unique
    among its parent's components of the same class and stays the same from scan to scan."""

    ref: Name
    class_: Name = field(name="class")
    local_key: Name
    parent: str = ""
    section: Name | None = None
    identifiers: dict[Name, list[Name]] = {}
    attributes: dict[Name, Value] = {}


class Observation(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One independent thing as one scan saw it, with all that depends on it.

    ``address``: where it answered; absent when nothing was contacted (a hypervisor's view). ``native_key``: the
    source's own key for it. ``sections``: attribute -> section, for provenance.
    """

    ref: Name
    class_: Name = field(name="class")
    address: Name | None = None
    native_key: Name | None = None
    identifiers: dict[Name, list[Name]] = {}
    attributes: dict[Name, Value] = {}
    sections: dict[Name, Name] = {}
    components: list[Component] = []
    relations: list[Relation] = []


class Content(Struct, frozen=True, forbid_unknown_fields=True):
    """What a report's digest is taken of. Agents order observations, components and relations by ref and key, so that
    an unchanged host gives unchanged bytes."""

    coverage: list[Coverage] = []
    observations: list[Observation] = []


class RawContent(Struct, frozen=True, forbid_unknown_fields=True):
    """``Content`` with its observations left as bytes, for reading only those that changed."""

    coverage: list[Coverage] = []
    observations: list[Raw] = []


class Sample(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A measured value that moves at every scan: used bytes, counters, uptime, pids. ``ref`` names the observation,
    ``component`` its component (a component's ref)."""

    ref: Name
    name: Name
    value: float
    unit: Annotated[str, Meta(max_length=32)] = "1"
    kind: Literal["gauge", "counter"] = "gauge"
    component: str = ""
    at: Name | None = None


class ScanError(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why something could not be read. ``kind`` is a slug: ``timeout``, ``auth``, ``host-key``, ``legacy-crypto``."""

    kind: Name
    message: Text
    section: Name | None = None
    target: Name | None = None


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """The envelope. ``id`` is unique per report: the same id delivered again is acknowledged and changes nothing."""

    version: int
    id: Name
    agent: Name
    site: Name
    source: Name
    scope: Scope
    scan: Scan
    observed_at: Name
    sent_at: Name
    content: Raw
    samples: list[Sample] = []
    errors: list[ScanError] = []


def encode_content(content: Content) -> bytes:
    """The canonical bytes of a content."""
    return msgspec.json.encode(content)


# msgspec describes a struct to itself at the first decoding into it, and a second thread that comes along meanwhile
# crashes the process: all of them are described here, while the module is imported and nobody else has them.
for _kind in (Report, Content, RawContent):
    msgspec.json.Decoder(_kind)
