from __future__ import annotations

from cmdb_server.ingest.ruling import in_effect


def row(id_: str, revision: int, undoes: str | None = None) -> tuple[object, ...]:
    return (id_, revision, "undo" if undoes else "merge", {}, "anna", revision, "", undoes)


def test_what_was_undone_is_not_in_effect_unless_the_undoing_was() -> None:
    made, undone, redone = row("d", 1), row("u", 2, "d"), row("v", 3, "u")
    assert [one[0] for one in in_effect([made])] == ["d"]
    assert [one[0] for one in in_effect([undone, made])] == ["u"]
    assert [one[0] for one in in_effect([made, redone, undone])] == ["v", "d"]
