from __future__ import annotations

import pytest

from cmdb_server.cli import exits


def test_every_code_has_a_meaning_of_its_own() -> None:
    assert sorted(exits.MEANING) == list(range(6))
    assert len(set(exits.MEANING.values())) == 6


def test_failing_bears_code_and_words() -> None:
    with pytest.raises(exits.CommandError, match="why") as ended:
        exits.fail(exits.ABSENT, "why")
    assert ended.value.code == exits.ABSENT
