"""What a full scan of one host costs the agent: CPU time against a bare paramiko connection that runs ``true``.

Both in one process, interleaved, with the same key, the same pinned host key and the same host: this machine behind a
real sshd on loopback that this program starts, then a host of the lab where that can be raised (``--target``: any host
instead). The scan's time holds all that the agent does: script, connection, reading, parsing, redaction, the report's
bytes. What sshd and the host's commands use is not counted. The first scan of a process also loads modules and
patterns and fills what the agent remembers of common packages and daemons; it is printed apart.
Prints the size of the wheel and of everything it brings. Exit code 1 tells wrong results, never slow ones.

    python -m benchmarks.agent [--scale S] [--target ssh://user@host --key FILE --known-hosts FILE]

The larger the host, the more there is to parse: packages and components are printed beside the ratio.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import paramiko

from benchmarks.missing import skipped
from cmdb_agent import settings, targets
from cmdb_agent.scan import scan_one
from cmdb_agent.targets import Target
from cmdb_schemas.report import Content, Report
from tests import lab_estate, sshd

ROOT = Path(__file__).parents[1]
GOAL = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="below 1: few rounds, for correctness")
    parser.add_argument("--target", help="ssh://user@host[:port] instead of an sshd of our own")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--known-hosts", type=Path)
    options = parser.parse_args()
    rounds = 30 if options.scale >= 1 else 3
    if options.target:
        wrong = compare(options.target, options.key, options.known_hosts, rounds)
    else:
        wrong = [*on_this_machine(rounds), *in_the_lab(rounds)]
    if options.scale >= 1:
        print_sizes()
    for line in wrong:
        print(f"wrong: {line}")
    return 1 if wrong else 0


def on_this_machine(rounds: int) -> list[str]:
    if sshd.MISSING:
        return [sshd.MISSING] if skipped(sshd.MISSING) else []
    with sshd.running() as server:
        return compare(server.url, server.key, server.known_hosts, rounds)


def in_the_lab(rounds: int) -> list[str]:
    if reason := lab_estate.missing():
        return [reason] if skipped(reason) else []
    with lab_estate.raised("benchcpu", "--net", "10.87", "--tiers", "web=1,app=1,db=1") as estate:
        access, host = estate.truth["credentials"], estate.hosts["app1"]
        url = f"ssh://{access['user']}@{estate.address('app1')}:{host['ssh']['port']}"
        return compare(url, Path(access["keys"][0]), Path(access["known_hosts"]), rounds)


def compare(url: str, key: Path, known_hosts: Path, rounds: int) -> list[str]:
    """Measures both in turn and prints the ratio; gives what was wrong with the reports."""
    access = settings.SshAccess(keys=(f"file:{key}",), known_hosts=(str(known_hosts),))
    target, config = targets.parse(url, access), settings.Settings(agent="benchmark")
    first = cpu(lambda: scan_one(target, config))
    bare(target, key, known_hosts)
    scans, connections, reports = list[float](), list[float](), list[Report]()
    for _ in range(rounds):
        connections.append(cpu(lambda: bare(target, key, known_hosts)))
        scans.append(cpu(lambda: reports.append(scan_one(target, config))))
    scan_ms, bare_ms = 1000 * statistics.median(scans), 1000 * statistics.median(connections)
    print(f"host: {told(reports[-1])}")
    print(f"full scan {scan_ms:.1f} ms of CPU, bare connection {bare_ms:.1f} ms, medians of {rounds} rounds")
    print(f"the first scan of the process {1000 * first:.1f} ms")
    print(f"ratio {scan_ms / bare_ms:.2f} (goal at most {GOAL:g})")
    return [line for report in reports for line in faults(report)]


def told(report: Report) -> str:
    """How much there was to read."""
    content = msgspec.json.decode(report.content, type=Content)
    installed = sum(one.type == "installs" for host in content.observations for one in host.relations)
    components = sum(len(host.components) for host in content.observations)
    host = f"{report.scope.target}: {installed} packages, {components} components"
    return f"{host}, {len(report.content)} bytes of content"


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU of this process, all threads."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def bare(target: Target, key: Path, known_hosts: Path) -> None:
    """The least that paramiko can do: connect, run ``true``, read it out, close."""
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(known_hosts))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(
            target.host, target.port, target.ssh.user, key_filename=str(key), allow_agent=False, look_for_keys=False
        )
        _, output, errors = client.exec_command("true")
        output.read(), errors.read()
        if output.channel.recv_exit_status() != 0:
            raise RuntimeError("true failed")


def faults(report: Report) -> Iterator[str]:
    content = msgspec.json.decode(report.content, type=Content)
    yield from (f"{error.kind}: {error.message}" for error in report.errors)
    if [observation.identifiers.get("name") for observation in content.observations] in ([], [None]):
        yield "no host was observed, or one without a name"
    yield from (f"{one.section} {one.status}" for one in content.coverage if one.status in ("failed", "undecodable"))


def print_sizes() -> None:
    """The wheel, built here, and what it brings: files installed with all extras, as their distributions list them."""
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, str(ROOT / "agents")]
        done = subprocess.run(build, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        print(f"wheel {wheels[0].stat().st_size / 1000:.0f} kB" if wheels else f"wheel not built: {done.stderr[-200:]}")
    for extras in ((), ("ssh",), ("ssh", "snmp")):
        names = closure("cmdb-agent", frozenset(extras), set())
        size = sum(installed(name) for name in names - {"cmdb-agent", "cmdb-schemas"})
        named = f"[{','.join(extras)}]" if extras else ""
        print(f"dependencies of cmdb-agent{named}: {len(names) - 1} distributions, {size / 1e6:.1f} MB installed")


def closure(name: str, extras: frozenset[str], seen: set[str]) -> set[str]:
    """A distribution and all that it requires here."""
    seen.add(name)
    for requirement in importlib.metadata.requires(name) or []:
        needed = re.match(r"[A-Za-z0-9._-]+", requirement)
        marker = requirement.partition(";")[2]
        wanted = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        if needed is None or (wanted and wanted[1] not in extras):
            continue
        required = needed[0].lower().replace("_", "-")
        if required not in seen and is_installed(required):
            closure(required, frozenset(), seen)
    return seen


def is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def installed(name: str) -> int:
    files = importlib.metadata.distribution(name).files or []
    sizes = (Path(str(file.locate())) for file in files if "__pycache__" not in str(file))
    return sum(path.stat().st_size for path in sizes if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
