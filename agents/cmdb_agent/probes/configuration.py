"""The configuration files that software signatures ask for: small, readable without root, freed of secrets."""

from __future__ import annotations

from cmdb_agent.file_dump import collect, dump, parse
from cmdb_agent.probe import Probe, Variant
from cmdb_agent.software import Signatures, signatures

NAME = "configuration"


def probe_for(known: Signatures) -> Probe:
    """The probe for a set of signatures; a scan with signatures of its own replaces ``PROBE`` by it."""
    return Probe(NAME, (Variant(f"set --\n{collect(known.files())}{dump()}:", parse, when="command -v awk"),))


PROBE = probe_for(signatures())
