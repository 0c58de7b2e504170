"""Small text files of a host in one section: how the script prints them and how they are read back.

Each file begins with a line ``@path``; each of its lines follows with ``|`` before it, so that no content can pass for
another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cmdb_agent.observation import ConfigFile
from cmdb_agent.redact import redact_text

LONGEST_FILE = 3000
"""Lines of one file that are read; signatures ask for small files."""

_PRINT = (
    'awk \'FNR == 1 {print "@" FILENAME} '
    f'FNR <= {LONGEST_FILE} && length($0) < 4000 && !/^[ \t]*([#;]|$)/ {{print "|" $0}}\' "$@"'
)
"""Comments and empty lines, which are most of a configuration file, stay where they are."""


def collect(patterns: Iterable[str]) -> str:
    """Shell that appends every readable regular file of the patterns to the positional parameters."""
    return f'for f in {" ".join(patterns)}; do if [ -f "$f" ] && [ -r "$f" ]; then set -- "$@" "$f"; fi; done\n'


def dump() -> str:
    """Shell that prints the files among the positional parameters."""
    return f"if [ $# -gt 0 ]; then {_PRINT}; fi\n"


def parse(text: str) -> Iterator[ConfigFile]:
    """The files of a dump, freed of secrets."""
    path, lines = "", list[str]()
    for line in text.splitlines():
        if line.startswith("@"):
            if path:
                yield _file(path, lines)
            path, lines = line[1:], []
        elif line.startswith("|"):
            lines.append(line[1:])
    if path:
        yield _file(path, lines)


def _file(path: str, lines: list[str]) -> ConfigFile:
    return ConfigFile(path, redact_text("\n".join(lines)))
