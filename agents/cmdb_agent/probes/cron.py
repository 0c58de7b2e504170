"""What the host runs by the clock: cron's tables, and the scripts that they name. Users' own tables are read as far as
the scan may: without root that is none, and nothing tells whether there are any."""

from __future__ import annotations

from cmdb_agent.file_dump import collect, dump, parse
from cmdb_agent.probe import Probe, Variant

_TABLES = ("/etc/crontab", "/etc/cron.d/*", "/var/spool/cron/crontabs/*", "/var/spool/cron/*", "/var/cron/tabs/*")
_PERIODIC = "/etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/*"
_PATHS = r"""awk '{for (i = 1; i <= NF; i++) if ($i ~ "^/[A-Za-z0-9_./+-]+$") print $i}' "$@" | sort -u | head -n 100"""
_SCRIPTS = f"""\
if [ $# -gt 0 ]; then named=`{_PATHS}`; fi
for f in `grep -lE '://|[ \\t](-h|--host)|rsync|scp ' {_PERIODIC} $named 2>/dev/null`; do
  if [ -f "$f" ]; then case "`head -c 2 "$f" | tr -d '\\000'`" in '#!') set -- "$@" "$f";; esac; fi
done
"""
"""Of the scripts only those are printed that may name another host."""

PROBE = Probe("cron", (Variant(f"set --\n{collect(_TABLES)}{_SCRIPTS}{dump()}:", parse, when="command -v awk"),))
