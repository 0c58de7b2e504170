"""``cmdb-agent``: scans hosts and devices and reports what it observed.

Exit codes: 0 all is well; 1 some target could not be read, or a report was refused; 2 wrong usage or settings;
3 reports wait in the spool for a server that does not take them yet.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cmdb_agent import schedule, settings, targets
from cmdb_agent.credentials import CredentialError
from cmdb_agent.delivery import Delivery, Outcome, Spool, SpoolFullError, enrol
from cmdb_agent.errors import AgentError, DeliveryError, SettingsError
from cmdb_agent.scan import failed, scan, scan_one, silent
from cmdb_agent.settings import Settings
from cmdb_agent.shown import report_tree
from cmdb_agent.targets import Target, TargetError
from cmdb_schemas.report import Content, Report
from cmdb_schemas.visible import visible

OK, TARGET_FAILED, USAGE, PENDING = 0, 1, 2, 3
_TABLE_AT_LEAST = 120
"""Columns of a table that is read by a program, or on a narrow terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace, Settings], int] = options.command
    try:
        return command(options, _settings(options))
    except (SettingsError, TargetError, CredentialError) as error:
        return _complain(error, USAGE, options.json)
    except DeliveryError as error:
        return _complain(error, TARGET_FAILED if error.refused else PENDING, options.json)
    except AgentError as error:
        return _complain(error, TARGET_FAILED, options.json)
    except BrokenPipeError:
        # Whoever read our output has had enough; Python must not complain while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _scan(options: argparse.Namespace, config: Settings) -> int:
    """Scans, spools and delivers."""
    chosen = _targets(options.targets, config)
    spool = _spool(config)
    delivery = _delivery(spool, config)
    lines = []
    for report in _watched(scan(chosen, config), len(chosen)):
        _keep(report, spool, delivery)
        if silent(report):
            continue
        lines.append(_line(report))
        if not options.json:
            _print_line(lines[-1])
    outcome = delivery.flush(options.patience)
    if options.json:
        _print_json({"targets": lines, **_delivered(outcome)})
    else:
        _print_outcome(outcome)
    return _code(outcome, any(line["failed"] for line in lines))


def _keep(report: Report, spool: Spool, delivery: Delivery) -> None:
    """Spools a report; a full spool is delivered first."""
    try:
        spool.put(report)
    except SpoolFullError:
        delivery.flush()
        spool.put(report)


def _probe(options: argparse.Namespace, config: Settings) -> int:
    """Scans one target and shows the report; sends nothing."""
    chosen = _targets([options.target], config)
    if len(chosen) != 1:
        raise TargetError(f"{options.target}: probe takes one target, this is {len(chosen)}")
    [target] = chosen
    report = scan_one(target, config)
    if options.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        Console().print(report_tree(report))
    return TARGET_FAILED if failed(report) else OK


def _flush(options: argparse.Namespace, config: Settings) -> int:
    """Delivers what waits."""
    outcome = _delivery(_spool(config), config).flush(options.patience)
    if options.json:
        _print_json(_delivered(outcome))
    else:
        _print_outcome(outcome)
    return _code(outcome, False)


def _list_spool(options: argparse.Namespace, config: Settings) -> int:
    """Shows what waits (``list``) or what was refused (``quarantine``), and puts refused reports back (``release``)."""
    spool = _spool(config)
    if options.what == "release":
        released = spool.release(options.report)
        _print_json({"released": released}) if options.json else print(f"{released} released")  # noqa: T201
        return OK
    entries = spool.entries("quarantined" if options.what == "quarantine" else "pending")
    if options.json:
        _print_json([dataclasses.asdict(entry) for entry in entries])
        return OK
    table = Table("report", "target", "spooled at", "bytes", "attempts", "reason", box=None, pad_edge=False)
    table.columns[0].no_wrap = True  # it is what release takes
    for entry in entries:
        spooled = datetime.fromtimestamp(entry.spooled_at, UTC).isoformat(timespec="seconds")
        told = (entry.id, entry.target, spooled, str(entry.size), str(entry.attempts), entry.reason)
        table.add_row(*(Text(visible(cell)) for cell in told))
    Console(width=max(Console().width, _TABLE_AT_LEAST)).print(table)
    return OK


def _run(options: argparse.Namespace, config: Settings) -> int:
    """Scans on schedule until SIGTERM or SIGINT."""
    if not config.targets:
        raise SettingsError("no targets: name some under [[targets]] in the settings")
    plan = schedule.Schedule(config.targets, time.monotonic(), config.exclude)
    spool, stop = _spool(config), threading.Event()
    delivery = _delivery(spool, config, stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    schedule.run(plan, config, spool, delivery, stop, _log, options.patience)
    pending = spool.count()
    _log("stopped", {"pending": pending})
    return PENDING if pending else OK


def _enrol(options: argparse.Namespace, config: Settings) -> int:
    """Buys a token with a one-time code and keeps it in a file that only its owner can read."""
    path = Path(options.token_file) if options.token_file else _bought(config)
    token = enrol(_server(config), options.code, config.agent, config.ca_file)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(token + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)
    if options.json:
        _print_json({"agent": config.agent, "token": f"file:{path}"})
    else:
        print(f"enrolled {config.agent}; the token is file:{path}")  # noqa: T201
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("cmdb-agent", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--version", action="version", version=version("cmdb-agent"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = _common()
    for name, command, parents in (
        ("scan", _scan, [common, _sending(), _access()]),
        ("probe", _probe, [common, _access()]),
        ("flush", _flush, [common, _sending()]),
        ("spool", _list_spool, [common]),
        ("run", _run, [common, _sending()]),
        ("enrol", _enrol, [common, _sending()]),
    ):
        made = commands.add_parser(name, help=command.__doc__, description=command.__doc__, parents=parents)
        made.set_defaults(command=command)
        _own_arguments(name, made)
    return parser


def _own_arguments(name: str, parser: argparse.ArgumentParser) -> None:
    spoken = "local, ssh://[user@]host[:port] or snmp://[community-reference@]host[:port]"
    if name == "scan":
        ranges = "; a range: ssh://user@10.0.0.0/28, ssh://user@10.0.0.5-20; @FILE: one a line"
        parser.add_argument("targets", nargs="+", metavar="TARGET", help=spoken + ranges)
    elif name == "probe":
        parser.add_argument("target", metavar="TARGET", help=spoken)
    elif name == "spool":
        parser.add_argument("what", nargs="?", choices=["list", "quarantine", "release"], default="list")
        parser.add_argument("report", nargs="?", default="", help="release only this report")
    elif name == "enrol":
        parser.add_argument("--code", required=True, help="the one-time code from the server")
        parser.add_argument("--token-file", default="", help="where to keep the token (default: beside the spool)")


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, help="settings (TOML); else CMDB_AGENT_CONFIG")
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument("--agent", help="this agent's name (default: the host's)")
    common.add_argument("--site", help="the site whose hosts are scanned")
    common.add_argument("--spool", help="the file that keeps undelivered reports")
    return common


def _sending() -> argparse.ArgumentParser:
    sending = argparse.ArgumentParser(add_help=False)
    sending.add_argument("--server", help="base URL of the server; https, or this machine")
    sending.add_argument("--token-ref", dest="token", help="reference to the agent's token: file:/path, env:NAME, …")
    sending.add_argument("--ca-file", help="certificate authority of the server")
    sending.add_argument("--patience", type=float, default=30.0, help="seconds to go on trying to deliver (30)")
    return sending


def _access() -> argparse.ArgumentParser:
    access = argparse.ArgumentParser(add_help=False)
    access.add_argument("--exclude", action="append", help="address or range that no sweep touches (repeatable)")
    access.add_argument("--software", action="append", help="folder of software signatures of your own (repeatable)")
    access.add_argument("--profiles", action="append", help="folder of device profiles of your own (repeatable)")
    access.add_argument("--concurrency", type=int, help="targets at a time (32)")
    ssh = access.add_argument_group("ssh")
    ssh.add_argument("--user", dest="ssh_user")
    ssh.add_argument("--key", dest="ssh_keys", action="append", help="reference to a private key (repeatable)")
    ssh.add_argument("--certificate", dest="ssh_certificates", action="append", help="reference (repeatable)")
    ssh.add_argument("--passphrase", dest="ssh_passphrase", help="reference")
    ssh.add_argument("--password", dest="ssh_password", help="reference")
    ssh.add_argument("--sudo", dest="ssh_sudo", choices=["none", "nopasswd", "password"])
    ssh.add_argument("--sudo-password", dest="ssh_sudo_password", help="reference")
    ssh.add_argument("--jump", dest="ssh_jump", help="ssh://user@bastion, comma-separated, nearest first")
    ssh.add_argument("--known-hosts", dest="ssh_known_hosts", action="append", help="file of pinned keys (repeatable)")
    ssh.add_argument("--pin", dest="ssh_pins", action="append", help="'ssh-ed25519 AAAA…' or SHA256:… (repeatable)")
    ssh.add_argument("--enrol-host-keys", dest="ssh_enrol_host_keys", metavar="FILE", help="trust unknown keys once")
    snmp = access.add_argument_group("snmp")
    snmp.add_argument("--community", dest="snmp_community", help="reference")
    snmp.add_argument("--snmp-version", dest="snmp_version", choices=["2c", "3"])
    snmp.add_argument("--snmp-user", dest="snmp_user")
    snmp.add_argument("--auth", dest="snmp_auth", help="MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512")
    snmp.add_argument("--auth-password", dest="snmp_auth_password", help="reference")
    snmp.add_argument("--privacy", dest="snmp_privacy", help="DES, AES-128, AES-192, AES-256")
    snmp.add_argument("--privacy-password", dest="snmp_privacy_password", help="reference")
    return access


def _settings(options: argparse.Namespace) -> Settings:
    """The settings with the command line laid over them: file, environment, options."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    return settings.load(options.config, options=given)


def _targets(spoken: Iterable[str], config: Settings) -> list[Target]:
    """The targets of the command line, each once; ``@file`` stands for the file's lines (``@-``: standard input)."""
    told = dict.fromkeys(line for text in spoken for line in (_lines(text[1:]) if text.startswith("@") else [text]))
    return [one for text in told for one in targets.expand(text, config.ssh, config.snmp, config.exclude)]


def _lines(name: str) -> list[str]:
    """A file of targets, one a line; ``#`` begins a comment."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"@{name}: {error}") from None
    return [line for line in (line.partition("#")[0].strip() for line in text.splitlines()) if line]


def _server(config: Settings) -> str:
    if not config.server:
        raise SettingsError("no server: --server URL, CMDB_AGENT_SERVER or server in the settings")
    return config.server


def _spool(config: Settings) -> Spool:
    return Spool(Path(config.spool), config.spool_bytes)


def _bought(config: Settings) -> Path:
    """Where a token is kept that was bought without saying where."""
    return Path(config.spool).parent / "token"


def _delivery(spool: Spool, config: Settings, stop: threading.Event | None = None) -> Delivery:
    """The way to the server, with the token that the settings name, else with the one that was bought."""
    bought = _bought(config)
    token = config.token or (f"file:{bought}" if bought.exists() else "")
    return Delivery(spool, _server(config), token, config.ca_file, stop)


def _watched(reports: Iterator[Report], total: int) -> Iterator[Report]:
    """Shows how far the scan has come, on a terminal and for more than one target."""
    console = Console(stderr=True)
    if total < 2 or not console.is_terminal:
        yield from reports
        return
    columns = (TextColumn("scanning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("scan", total=total)
        for report in reports:
            progress.advance(task)
            yield report


def _line(report: Report) -> dict[str, Any]:
    errors = [{"kind": error.kind, "message": error.message, "section": error.section} for error in report.errors]
    content = msgspec.json.decode(report.content, type=Content)
    named = [one.ref for one in content.observations[:1]] or [one.target for one in report.errors if one.target]
    return {
        "target": named[0] if report.scan.parts > 1 and named else report.scope.target,
        "source": report.source,
        "report": report.id,
        "failed": failed(report),
        "errors": errors,
    }


def _print_line(line: dict[str, Any]) -> None:
    state = "[red]failed[/]" if line["failed"] else "[yellow]partly[/]" if line["errors"] else "[green]read[/]"
    console = Console(highlight=False)
    console.print(f"{state}  {line['source']}", Text(visible(line["target"])), soft_wrap=True)
    for error in line["errors"]:
        told = (error["kind"], error["section"] or "", visible(error["message"]))
        console.print("        ", *told, markup=False, soft_wrap=True)


def _delivered(outcome: Outcome) -> dict[str, Any]:
    refused = [{"report": one.id, "target": one.target, "reason": one.reason} for one in outcome.quarantined]
    return {
        "delivered": outcome.delivered,
        "pending": outcome.pending,
        "quarantined": refused,
        "problem": outcome.problem,
    }


def _print_outcome(outcome: Outcome) -> None:
    console = Console(highlight=False)
    console.print(f"{outcome.delivered} delivered, {outcome.pending} pending")
    for refused in outcome.quarantined:
        console.print("refused:", refused.target, refused.id, visible(refused.reason), markup=False, soft_wrap=True)
    if outcome.problem:
        console.print("not delivered:", visible(outcome.problem), markup=False, soft_wrap=True)


def _code(outcome: Outcome, target_failed: bool) -> int:
    """Waiting reports are told first: they are what a caller has to come back for."""
    if outcome.pending:
        return PENDING
    return TARGET_FAILED if target_failed or outcome.quarantined else OK


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))  # noqa: T201


def _log(event: str, fields: dict[str, object]) -> None:
    """One JSON line on standard error, for the journal."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(json.dumps({"at": now, "event": event, **fields}), file=sys.stderr, flush=True)  # noqa: T201


def _complain(error: AgentError, code: int, as_json: bool) -> int:
    if as_json:
        _print_json({"error": {"kind": error.kind, "message": str(error)}})
    print(f"cmdb-agent: {visible(str(error))}", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
