from __future__ import annotations

import pytest

from cmdb_server.api import token
from cmdb_server.errors import NotFound, Unauthenticated
from cmdb_server.ingest.caller import Grant
from cmdb_server.store.port import Store
from cmdb_server.store.tables import ENROLMENT, TOKEN

GRANT = Grant("agent-1", ("lab",), ("ssh",), ("10.0.0.0/8",))


def test_a_token_is_found_by_its_text_alone_and_kept_as_a_hash(store: Store) -> None:
    text, made = token.create(store, "ann", "reader", None, 1000, 500)
    assert text == f"cmdb_{made.prefix}_{text.rpartition('_')[2]}"
    assert token.find(store, text, 1499) == made
    (row,) = store.read(lambda tx: tx.scan(TOKEN))
    assert text.rpartition("_")[2] not in repr(row)


def test_a_grant_comes_back(store: Store) -> None:
    text, made = token.create(store, "agent-1", "agent", GRANT, 0, 500)
    assert token.find(store, text, 0).caller.grant == GRANT == made.grant


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text + "0",
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
        lambda text: text.replace("cmdb_", "cmdb-"),
        lambda text: text + "_x",
        lambda text: "cmdb_" + text[5:13] + "_",
        lambda text: "cmdb_\ud800_x",
        lambda text: "cmdb_' OR 1=1 --_x",
    ],
)
def test_no_other_text_is_a_token(store: Store, change) -> None:
    text, _ = token.create(store, "ann", "reader", None, 0, 500)
    with pytest.raises(Unauthenticated):
        token.find(store, change(text), 0)


def test_one_prefix_may_have_several_holders(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        token.secrets, "token_hex", lambda size, _real=token.secrets.token_hex: "00" * 4 if size == 4 else _real(size)
    )
    first, second = (token.create(store, name, "reader", None, 0, 500) for name in ("ann", "bob"))
    assert token.find(store, first[0], 0).subject == "ann"
    assert token.find(store, second[0], 0).subject == "bob"


def test_expiry(store: Store) -> None:
    text, _ = token.create(store, "ann", "reader", None, 0, 500)
    with pytest.raises(Unauthenticated):
        token.find(store, text, 500)


def test_revocation_holds_at_once_and_once(store: Store) -> None:
    text, made = token.create(store, "ann", "reader", None, 0, 500)
    assert token.revoke(store, made.id, 7).revoked_at == 7
    assert token.revoke(store, made.id, 8).revoked_at == 7
    with pytest.raises(Unauthenticated):
        token.find(store, text, 8)
    with pytest.raises(NotFound):
        token.revoke(store, "00000000-0000-0000-0000-000000000000", 8)


def test_all_are_listed_newest_first_over_pages(store: Store) -> None:
    rows = [token.mint(f"subject {number}", "reader", None, number, 10)[1] for number in range(2500)]
    store.write(lambda tx: tx.insert(TOKEN, rows))
    assert [listed.created_at for listed in token.every(store)] == list(range(2499, -1, -1))


def test_a_code_buys_one_token_once(store: Store) -> None:
    code, _, expires = token.offer(store, GRANT, 100, 50)
    assert expires == 150
    (row,) = store.read(lambda tx: tx.scan(ENROLMENT))
    assert code not in repr(row)
    text, made = token.enrol(store, code, 149, 1000)
    assert (made.subject, made.role, made.grant) == ("agent-1", "agent", GRANT)
    assert token.find(store, text, 149) == made
    with pytest.raises(Unauthenticated):
        token.enrol(store, code, 149, 1000)
    assert len(token.every(store)) == 1


def test_a_late_or_wrong_code_buys_nothing(store: Store) -> None:
    code, _, _ = token.offer(store, GRANT, 100, 50)
    before = store.revision()
    for paid, at in ((code, 150), ("enrol_00", 100), ("", 100), ("\ud800", 100)):
        with pytest.raises(Unauthenticated):
            token.enrol(store, paid, at, 1000)
    assert store.revision() == before
