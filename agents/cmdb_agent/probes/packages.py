"""Installed software packages, with the source package that advisories name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote

from cmdb_agent.observation import End, Relation, Value
from cmdb_agent.probe import Probe, Variant

_TAB = "\t"
_THE_HOST = End(ref="")
_REMEMBERED = 8192
"""Rows: hosts of one distribution have most of their packages in common, version by version."""
_PLAIN, _PLAIN_VERSION = re.compile(r"[A-Za-z0-9._~+-]*").fullmatch, re.compile(r"[A-Za-z0-9._~:+-]*").fullmatch
"""What a purl holds as it is, but for the plus sign."""


def _installs(
    kind: str, namespace: str, name: str, version: str, *, arch: str = "", distro: str = "", epoch: str = "",
    source: str = "", source_version: str = "", vendor: str = "",
) -> Relation:  # fmt: skip
    """The host installs a package, keyed by its purl. Hosts have hundreds: what is plain is not quoted letter by
    letter."""
    plain = name.replace("+", "%2B") if _PLAIN(name) else quote(name, safe="~.-_")
    told = version.replace("+", "%2B") if _PLAIN_VERSION(version) else quote(version, safe="~.-_:")
    purl = f"{_start(kind, namespace)}{plain}@{told}{_qualifiers(arch, distro, epoch)}"
    full = f"{epoch}:{version}" if epoch else version
    attributes: dict[str, Value] = {"name": name} if name else {}
    if full:
        attributes["version"] = full
    if arch:
        attributes["host.arch"] = arch
    if source or name:
        attributes["source_name"] = source or name
    if source_version or full:
        attributes["source_version"] = source_version or full
    if vendor:
        attributes["vendor"] = vendor
    attributes["purl"], attributes["package_type"] = purl, kind
    if epoch.isdecimal():
        attributes["epoch"] = int(epoch)
    package = End(class_="software_package", key=purl[:256], attributes=attributes)
    return Relation(type="installs", to=package, from_=_THE_HOST)


@lru_cache(maxsize=256)
def _start(kind: str, namespace: str) -> str:
    return f"pkg:{kind}/{quote(namespace, safe='')}/" if namespace else f"pkg:{kind}/"


@lru_cache(maxsize=1024)
def _qualifiers(arch: str, distro: str, epoch: str) -> str:
    qualifiers = {"arch": arch, "distro": distro, "epoch": epoch}
    tail = "&".join(f"{key}={quote(value, safe='.-_~:')}" for key, value in qualifiers.items() if value)
    return f"?{tail}" if tail else ""


def _distribution(line: str) -> tuple[str, str]:
    """``ID VERSION_ID`` as namespace and as purl's distro qualifier."""
    name, _, version = line.strip().partition(" ")
    return name.lower(), f"{name}-{version}".lower() if version else ""


def parse_dpkg(text: str) -> Iterator[Relation]:
    """A line with the distribution, then ``dpkg-query``'s with seven columns: status, name, version, architecture,
    source, its version, maintainer."""
    first, _, rest = text.partition("\n")
    namespace, distro = _distribution(first)
    for line in rest.splitlines():
        if (found := _dpkg_row(line, namespace or "debian", distro)) is not None:
            yield found


@lru_cache(maxsize=_REMEMBERED)
def _dpkg_row(line: str, namespace: str, distro: str) -> Relation | None:
    columns = line.split(_TAB)
    if len(columns) < 6 or columns[0][1:2] != "i":
        return None
    _, name, version, arch, source, source_version = columns[:6]
    return _installs(
        "deb", namespace, name, version, arch=arch, distro=distro, source=source, source_version=source_version
    )


_SOURCE_RPM = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm")


def parse_rpm(text: str) -> Iterator[Relation]:
    """A line with the distribution, then ``rpm``'s with seven columns: name, epoch, version, release, architecture,
    source RPM, vendor. Keys (gpg-pubkey) are no packages."""
    first, _, rest = text.partition("\n")
    namespace, distro = _distribution(first)
    for line in rest.splitlines():
        if (found := _rpm_row(line, namespace, distro)) is not None:
            yield found


@lru_cache(maxsize=_REMEMBERED)
def _rpm_row(line: str, namespace: str, distro: str) -> Relation | None:
    columns = line.split(_TAB)
    if len(columns) < 6 or columns[0] == "gpg-pubkey":
        return None
    name, epoch, version, release, arch, source_rpm, *more = ["" if word == "(none)" else word for word in columns]
    source = _SOURCE_RPM.fullmatch(source_rpm)
    return _installs(
        "rpm", namespace, name, f"{version}-{release}", arch=arch, distro=distro, epoch="" if epoch == "0" else epoch,
        source=source[1] if source else "", source_version=source[2] if source else "", vendor=more[0] if more else "",
    )  # fmt: skip


def parse_apk(text: str) -> Iterator[Relation]:
    """A line with the distribution, then /lib/apk/db/installed: blocks of ``X:value`` lines; ``o`` is the origin."""
    first, _, rest = text.partition("\n")
    namespace, distro = _distribution(first)
    for block in re.split(r"\n\s*\n", rest):
        fields = dict(line.split(":", 1) for line in block.splitlines() if line[1:2] == ":")
        if "P" in fields and "V" in fields:
            yield _installs(
                "apk", namespace or "alpine", fields["P"], fields["V"], arch=fields.get("A", ""), distro=distro,
                source=fields.get("o", ""),
            )  # fmt: skip


def parse_pacman(text: str) -> Iterator[Relation]:
    """``pacman -Qi``: blocks of ``Name : value``."""
    for block in re.split(r"\n\s*\n", text):
        fields = {
            key.strip(): value.strip()
            for key, sign, value in (line.partition(" : ") for line in block.splitlines())
            if sign
        }
        if "Name" in fields and "Version" in fields:
            yield _installs("alpm", "arch", fields["Name"], fields["Version"], arch=fields.get("Architecture", ""))


def parse_bsd(text: str) -> Iterator[Relation]:
    """``pkg info`` or ``pkg_info``: ``name-version`` and a comment."""
    for line in text.splitlines():
        found = re.match(r"(\S+)-(\d[^\s-]*)(?:\s|$)", line)
        if found:
            yield _installs("generic", "bsd", found[1], found[2])


def parse_lslpp(text: str) -> Iterator[Relation]:
    """AIX ``lslpp -c -l``: colon-separated; one row for each part of a fileset, so names may repeat."""
    seen = set()
    for line in text.splitlines():
        columns = line.split(":")
        if len(columns) > 3 and not line.startswith("#") and columns[1] and re.match(r"\d", columns[2]):
            if (columns[1], columns[2]) in seen:
                continue
            seen.add((columns[1], columns[2]))
            yield _installs("generic", "aix", columns[1].strip(), columns[2].strip())


def parse_pkginfo(text: str) -> Iterator[Relation]:
    """Solaris ``pkginfo -l``: blocks with PKGINST, VERSION and ARCH."""
    for block in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^\s*([A-Z]+):\s*(.*?)\s*$", block, re.MULTILINE))
        if "PKGINST" in fields:
            yield _installs(
                "generic", "solaris", fields["PKGINST"], fields.get("VERSION", ""), arch=fields.get("ARCH", ""),
                vendor=fields.get("VENDOR", ""),
            )  # fmt: skip


def parse_ips(text: str) -> Iterator[Relation]:
    """Solaris 11 ``pkg info``: blocks of ``Name:``, ``Version:``, ``Publisher:``."""
    for block in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^\s*([A-Z][A-Za-z ]*?):\s+(.*?)\s*$", block, re.MULTILINE))
        if "Name" in fields and "Version" in fields:
            yield _installs("generic", "solaris", fields["Name"], fields["Version"], vendor=fields.get("Publisher", ""))


def parse_swlist(text: str) -> Iterator[Relation]:
    """HP-UX ``swlist``: name, revision and title below comments."""
    for line in text.splitlines():
        found = re.match(r"\s{1,4}(\S+)\s+(\S*\d\S*)\s+\S", line)
        if found and not found[1].startswith("#"):
            yield _installs("generic", "hp-ux", found[1], found[2])


_DISTRIBUTION = 'if [ -r /etc/os-release ]; then . /etc/os-release; fi; echo "$ID $VERSION_ID"; '
_DPKG_FORMAT = (
    "${db:Status-Abbrev}\\t${Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\n"
)
_RPM_FORMAT = "%{NAME}\\t%{EPOCH}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\t%{VENDOR}\\n"

PROBE = Probe(
    "packages",
    (
        Variant(
            f"{_DISTRIBUTION}dpkg-query -W -f '{_DPKG_FORMAT}'",
            parse_dpkg,
            when="[ -s /var/lib/dpkg/status ] && command -v dpkg-query",
        ),
        Variant(
            f"{_DISTRIBUTION}rpm -qa --qf '{_RPM_FORMAT}'", parse_rpm, when='[ "`uname -s`" = Linux ] && command -v rpm'
        ),
        Variant(f"{_DISTRIBUTION}cat /lib/apk/db/installed", parse_apk, when="[ -r /lib/apk/db/installed ]"),
        Variant("pacman -Qi", parse_pacman, when="command -v pacman"),
        Variant("pkg info -l 2>/dev/null", parse_ips, when='[ "`uname -s`" = SunOS ] && command -v pkg'),
        Variant("pkginfo -l", parse_pkginfo, when="command -v pkginfo"),
        Variant("lslpp -c -l", parse_lslpp, when="command -v lslpp"),
        Variant("swlist", parse_swlist, when="command -v swlist"),
        Variant("pkg info", parse_bsd, when="command -v pkg"),
        Variant("pkg_info", parse_bsd, when="command -v pkg_info"),
    ),
)
