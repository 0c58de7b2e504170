from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.explanation import Explanation, Step
from cmdb_server.analysis.impact import impact
from cmdb_server.answers.told import Teller, moment, plain
from cmdb_server.projection.columns import Bools, Longs
from cmdb_server.projection.projection import Projection
from tests.wires import LINK, ROUTES
from tests.worlds import World

WORLD = World(2, ((0, LINK, 1, None, None), (0, ROUTES, 1, None, None)), {}, classes=("server", "switch"))


def test_who_is_cut_off_is_told_so() -> None:
    projection = WORLD.projection()
    shown = Explanation(impact(projection, [1]))
    one, other = Teller(projection).steps([Step(1, None), Step(0, None, cut_off=True)], shown)
    assert (one.cut_off, other.cut_off, other.state, other.gate) == (False, True, "down", None)


def test_who_lost_the_way_to_a_provider_is_told_which_and_how_many() -> None:
    relations = ((0, LINK, 1, None, None), (2, LINK, 1, None, None), (0, "depends_on", 2, None, None))
    projection = World(3, relations, {}, classes=("server", "switch", "server")).projection()
    shown = Explanation(impact(projection, [1]))
    cause, lost = Teller(projection).steps(shown.path(0), shown)
    assert (cause.ci.name, cause.partitioned_from) == ("1", None)
    assert lost.partitioned_from is not None
    assert lost.partitioned_from.name == "2"
    assert lost.gate is not None
    assert lost.gate.text == "0 of 1 serving, 1 of the lost up but out of reach, needs 1"


@dataclass(frozen=True)
class Blindfold:
    """Eyes that see all but one."""

    hidden: str

    def sees(self, ids: Iterable[str]) -> set[str]:
        return set(ids) - {self.hidden}

    def unseen(self, projection: Projection, cis: Longs) -> Bools:
        return np.asarray([projection.id(ci) == self.hidden for ci in cis.tolist()], bool)

    def token(self, id_: str) -> str:
        return f"hidden-{len(id_)}"


def test_hidden_names_are_the_same_all_through() -> None:
    projection = WORLD.projection()
    teller = Teller(projection, Blindfold(projection.id(1)))
    assert teller.named(0).name == "0"
    assert teller.named(1) == teller.named(1)
    assert teller.named(1).class_ is None


def test_names_that_python_keeps_for_itself_are_given_back() -> None:
    assert plain({"class_": [{"from_": 1}]}) == {"class": [{"from": 1}]}


def test_moments_are_told_in_utc() -> None:
    assert (moment(None), moment(1_700_000_000_123)) == (None, "2023-11-14T22:13:20.123Z")
