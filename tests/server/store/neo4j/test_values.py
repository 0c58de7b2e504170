from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from cmdb_server.store.neo4j.values import INDEXABLE, flattened, indexable, key_text

TEXTS = some.text(alphabet=some.sampled_from("\x00\x01\x02\x03aAé\ufffd🌍"), max_size=4)
KEYS = some.tuples(TEXTS, TEXTS, some.integers(-(2**63), 2**63 - 1))


@given(KEYS, KEYS)
def test_key_texts_sort_as_keys_do(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    assert (key_text(one) < key_text(other)) == (one < other)
    assert (key_text(one) == key_text(other)) == (one == other)


@given(KEYS, TEXTS)
def test_a_leading_part_is_a_prefix_of_its_keys_alone(key: tuple[str, str, int], part: str) -> None:
    assert key_text(key).startswith(key_text((part, ""))) == (key[0] == part)


def test_plain_keys_stay_readable() -> None:
    assert key_text(("6ba7b810-9dad-11d1-80b4-00c04fd430c8",)) == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@given(some.text(min_size=INDEXABLE // 4, max_size=3 * INDEXABLE).map(lambda text: text * 3))
def test_long_texts_are_shortened_for_an_index_and_stay_apart(text: str) -> None:
    short = indexable(text)
    assert len(short.encode()) <= INDEXABLE
    assert indexable(text + "x") != short


def test_nested_values_are_flattened_one_level() -> None:
    assert flattened({"memory": {"value": 8, "unit": "GiB"}, "tags": ["a"], "mixed": ["a", 1], "no word": 1}) == {
        "memory_value": 8,
        "memory_unit": "GiB",
        "tags": ["a"],
        "mixed": '["a",1]',
    }
    assert flattened(None) == {}
