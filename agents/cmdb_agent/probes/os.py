"""Which operating system runs, in which version, on which architecture."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from cmdb_agent.component import told
from cmdb_agent.observation import HostFacts
from cmdb_agent.probe import Probe, Variant

_ARCHITECTURE = {
    "x86_64": "amd64", "amd64": "amd64", "i86pc": "amd64", "aarch64": "arm64", "arm64": "arm64", "i386": "x86",
    "i486": "x86", "i586": "x86", "i686": "x86", "armv5tel": "arm32", "armv6l": "arm32", "armv7l": "arm32",
    "ppc": "ppc32", "powerpc": "ppc32", "ppc64": "ppc64", "ppc64le": "ppc64", "ia64": "ia64", "s390x": "s390x",
}  # fmt: skip
"""``uname -m`` to OpenTelemetry's ``host.arch``."""

_IDS = {"red": "rhel", "oracle": "solaris", "suse": "sles", "openindiana": "openindiana"}

_COMMAND = """\
echo "uname_s=`uname -s`"; echo "uname_r=`uname -r`"; echo "uname_v=`uname -v`"; echo "uname_m=`uname -m`"
case "`uname -s`" in
AIX) echo "oslevel=`oslevel -s 2>/dev/null || oslevel`";;
SunOS) echo "processor=`uname -p`"; sed -n '1s/^/release=/p' /etc/release 2>/dev/null;;
FreeBSD) echo "oslevel=`freebsd-version -u 2>/dev/null || uname -r`";;
esac
for f in /etc/os-release /usr/lib/os-release; do if [ -r $f ]; then cat $f; break; fi; done
for f in /etc/redhat-release /etc/SuSE-release /etc/alpine-release /etc/debian_version; do
  if [ -r $f ]; then sed -n '1s/^/release=/p' $f; break; fi
done
:"""


def parse(text: str) -> Iterator[HostFacts]:
    """os_name, os_version, os_id, os_description, kernel_name, kernel_release, kernel_version, host.arch."""
    values = _assignments(text)
    system = values.get("uname_s", "")
    release = values.get("release", "")
    yield HostFacts(
        attributes=told(
            {
                "os_name": values.get("NAME") or _release_name(release) or system,
                "os_version": _version(values, system, release),
                "os_id": values.get("ID") or _release_id(release) or system.lower(),
                "os_description": values.get("PRETTY_NAME") or release,
                "kernel_name": system,
                "kernel_release": values.get("uname_r"),
                "kernel_version": values.get("uname_v"),
                "host.arch": _architecture(values),
            }
        ),
        class_=("linux_server" if system == "Linux" else "unix_server") if system else None,
    )


def _assignments(text: str) -> dict[str, str]:
    """Shell assignments, the first of a name; quoting as os-release(5) allows it."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, sign, value = line.strip().partition("=")
        if sign and re.fullmatch(r"\w+", name):
            values.setdefault(name, _unquoted(value))
    return values


def _unquoted(value: str) -> str:
    if value[:1] not in "\"'":
        return value.strip()
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value.strip("\"'")


def _release_name(release: str) -> str:
    found = re.match(r"\s*([A-Za-z][\w/ .-]*?)(?:\s+(?:release\s+)?v?\d|\s+oi_|\s*$)", release)
    return found[1] if found else ""


def _release_id(release: str) -> str:
    """The ID that os-release would give, from the first word of a release file."""
    word = (release.split() or [""])[0].lower()
    return _IDS.get(word, word if word.isalpha() else "")


def _version(values: Mapping[str, str], system: str, release: str) -> str:
    told = values.get("oslevel" if system in ("AIX", "FreeBSD") else "VERSION_ID")
    if told:
        return told
    number = re.search(r"\d[\w.]*", release)
    if number:
        return number[0]
    return values.get("uname_r", "") if system != "Linux" else ""


def _architecture(values: Mapping[str, str]) -> str:
    machine = values.get("uname_m", "")
    if values.get("uname_s") == "AIX":
        return "ppc64"  # there ``uname -m`` is a serial number
    if values.get("processor") == "sparc":
        return "sparc"
    return _ARCHITECTURE.get(machine, machine)


PROBE = Probe("os", (Variant(_COMMAND, parse),))
