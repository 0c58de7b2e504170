"""Which records are one CI: a pure function of the set of records of one component, and of what people decided.

Neither the order of the records nor how often or in what company they were told has any say. See ``components`` for
what a component is, ``attachment`` for records that prove nothing by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from cmdb_server.model.clusters import Clustering, cluster
from cmdb_server.model.components import (
    components,
    full_names,
    link_keys,
    native_link,
    place,
    void_values,
    voids,
)
from cmdb_server.model.decisions import Decision, distrusted, in_force
from cmdb_server.model.distrust import Distrusted, contradictions
from cmdb_server.model.evidence import Term, View, breakdown, score
from cmdb_server.model.likeness import Likeness
from cmdb_server.model.record import Record, Value
from cmdb_server.model.replacements import Replacement, succeeding, unanswered
from cmdb_server.model.versions import withdrawn
from cmdb_server.model.weighing import Weights, shipped

__all__ = [
    "Record", "Resolution", "Review", "Term", "Value", "components", "full_names", "link_keys", "native_link", "place", "resolve",
    "void_values", "voids",
]  # fmt: skip

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Review:
    """Something only a person can tell. ``likely``: two CIs whose best pair of records scores between review and
    join. ``tie``: one CI is drawn equally to CIs that must be apart. ``replaces``: the first CI may have taken the
    place of the second. ``cis``: sorted, but where their order tells. ``records``: the pair with the most to say, whose
    ``terms`` stand side by side; ``score`` is their sum."""

    kind: str
    cis: tuple[str, ...]
    records: tuple[str, str]
    score: float
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """``groups``: record ids, one group a CI, each and all sorted by (first_at, id). ``ci_of``: record id -> CI id,
    the id of its group's first record. ``weak``: records without trusted evidence, to be attached by place or name
    (``attachment``). ``replacements``: reviews of the kind ``replaces``. ``withdrawn``: superseded version ->
    successor. ``overridden``: ids of decisions that a newer one contradicts."""

    groups: tuple[tuple[str, ...], ...]
    ci_of: Mapping[str, str]
    weak: frozenset[str] = frozenset()
    reviews: tuple[Review, ...] = ()
    replacements: tuple[Review, ...] = ()
    distrusted: tuple[Distrusted, ...] = ()
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    overridden: frozenset[str] = frozenset()
    records: Mapping[str, Record] = field(default_factory=dict, repr=False)
    without: frozenset[Value] = field(default=frozenset(), repr=False)

    def evidence(self, a: str, b: str, weights: Weights | None = None) -> tuple[Term, ...]:
        """What two records of the component say for and against being one thing, distrusted values left out."""
        weights = weights or shipped()
        one, two = (View(self.records[id_], weights, self.without) for id_ in (a, b))
        return breakdown(one, two, weights.between(one.record.family, two.record.family))


def resolve(
    records: Sequence[Record],
    decisions: Iterable[Decision] = (),
    weights: Weights | None = None,
    void: frozenset[Value] = frozenset(),
) -> Resolution:
    """The CIs of one component. ``decisions``: those in force (``decisions.in_force``) that name any of its records or
    values. ``void``: values that identify nothing anywhere (``components.voids``)."""
    weights = weights or shipped()
    ruled = in_force(decisions)
    without = void | distrusted(ruled) if ruled else void
    if len(records) == 1:
        return _alone(records[0], weights, without)
    return _Component(records, ruled, weights, without).resolution()


def _alone(record: Record, weights: Weights, without: frozenset[Value]) -> Resolution:
    proves = any(
        kind in weights.strong and any((kind, value) not in without for value in values)
        for kind, values in record.identifiers.items()
    )
    id_ = record.id
    weak = frozenset() if proves else frozenset((id_,))
    return Resolution(((id_,),), {id_: id_}, weak, records={id_: record}, without=without)


class _Component:
    """One component being resolved: what is computed once, whatever decisions turn out to hold."""

    def __init__(
        self, records: Sequence[Record], ruled: Sequence[Decision], weights: Weights, without: frozenset[Value]
    ) -> None:
        self.weights = weights
        self.records = sorted(records, key=lambda r: (r.first_at, r.id))
        self.known = {r.id for r in records}
        self.decisions = ruled
        self.ruled = [d for d in ruled if d.verb in ("merge", "split") and _names(d, self.known)]
        self.successors = self._kept(withdrawn(self.records, weights, without))
        live = [r for r in self.records if r.id not in self.successors]
        self.views = [View(r, weights, without) for r in live]
        self.at = {r.id: i for i, r in enumerate(live)}
        alike = Likeness(self.views, weights)
        self.found = {pair: alike.points(*pair) for pair in _pairs(self.views)}
        self.distrusted = contradictions(self.views, self.found, weights)
        self.without = without
        if self.distrusted:
            self._distrust()
        self.scores = {pair: score(terms) for pair, terms in self.found.items()}

    def _kept(self, successors: dict[str, str]) -> dict[str, str]:
        """The withdrawn versions, but for those that a person separated from what succeeded them."""
        splits = [d.sides for d in self.ruled if d.verb == "split"]
        if not splits or not successors:
            return successors
        return {
            old: new
            for old, new in successors.items()
            if not any(_separates(sides, old, set(_chain(successors, old))) for sides in splits)
        }

    def _distrust(self) -> None:
        """Look again at the records that bear what is distrusted now. Never iterated: what follows from the second
        look distrusts nothing more."""
        self.without |= self.distrusted.keys()
        touched = set()
        for i, view in enumerate(self.views):
            if any((kind, value) in self.distrusted for kind, values in view.values.items() for value in values):
                self.views[i] = View(view.record, self.weights, self.without)
                touched.add(i)
        alike = Likeness(self.views, self.weights)
        for i, j in self.found:
            if i in touched or j in touched:
                self.found[i, j] = alike.points(i, j)

    def _where(self, id_: str) -> int:
        """The number of the view that stands for a record: its own, or its last successor's."""
        return self.at[[id_, *_chain(self.successors, id_)][-1]]

    def _clustered(self, ruled: Iterable[Decision]) -> Clustering:
        """Clusters under these decisions: splits hold pairs apart, merges unite what evidence found."""
        views, family = self.views, self.weights.default
        apart = {pair for pair, value in self.scores.items() if value <= family.apart and self._opposed(*pair)}
        ties = [d for d in ruled if d.verb == "merge"]
        for decision in ruled:
            if decision.verb == "split":
                apart |= self._across(decision)
        scores = {(i, j): value for (i, j), value in self.scores.items() if views[i].strong == views[j].strong}
        state = cluster(len(views), scores, family.join, apart)
        for decision in ties:
            held = {state.home[self._where(id_)] for side in decision.sides for id_ in side if id_ in self.known}
            if len(held) > 1:
                state.unite(held)
        return state

    def _opposed(self, i: int, j: int) -> bool:
        """Whether two records whose score says so must be apart. Names and installations change in time; that those of
        a past record are not those of a later one only opposes them if both were seen at once."""
        if self.views[i].record.meets(self.views[j].record):
            return True
        fleeting = self.weights.installation | {"name"}
        told = self.found[i, j]
        lasting = [(k, w) for k, w in told if (k not in fleeting or w > 0) and (k != "installation" or w < 0)]
        return score(lasting) <= self.weights.default.apart

    def _across(self, split: Decision) -> set[Pair]:
        sides = [{self._where(id_) for id_ in side if id_ in self.known} for side in split.sides]
        return {
            (min(i, j), max(i, j)) for n, side in enumerate(sides) for other in sides[n + 1 :] for i in side for j in other
        }  # fmt: skip

    def _decided(self) -> tuple[Clustering, frozenset[str]]:
        """The clusters under all decisions that do not contradict a newer one, and the ids of those that do."""
        state = self._clustered(self.ruled)
        if self._holds(state, self.ruled):
            return state, frozenset()
        accepted: list[Decision] = []
        for decision in self.ruled:
            if self._holds(self._clustered([*accepted, decision]), [*accepted, decision]):
                accepted.append(decision)
        kept = {d.id for d in accepted}
        return self._clustered(accepted), frozenset(d.id for d in self.ruled if d.id not in kept)

    def _holds(self, state: Clustering, ruled: Iterable[Decision]) -> bool:
        return not any(
            state.home[i] == state.home[j] for d in ruled if d.verb == "split" for i, j in self._across(d)
        )  # fmt: skip

    def resolution(self) -> Resolution:
        state, overridden = self._decided()
        groups: dict[int, list[str]] = {}
        for record in self.records:
            groups.setdefault(state.home[self._where(record.id)], []).append(record.id)
        ci_of = {id_: group[0] for group in groups.values() for id_ in group}
        weak = frozenset(
            r.id for r in self.records if not self.views[self._where(r.id)].strong
        )  # fmt: skip
        heirs = succeeding(self.views, self.found, ci_of, self.records, self.weights) if len(groups) > 1 else []
        told = {frozenset((one.new, one.old)) for one in heirs}
        return Resolution(
            groups=tuple(tuple(group) for group in groups.values()), ci_of=ci_of, weak=weak,
            reviews=tuple(r for r in self._reviews(state, ci_of) if r.kind == "tie" or frozenset(r.cis) not in told),
            replacements=tuple(self._replacements(heirs, ci_of, overridden)), distrusted=tuple(self.distrusted[v] for v in sorted(self.distrusted)),
            withdrawn=self.successors, overridden=overridden, records={r.id: r for r in self.records},
            without=self.without,
        )  # fmt: skip

    def _reviews(self, state: Clustering, ci_of: Mapping[str, str]) -> Iterable[Review]:
        if len(state.members) < 2:
            return
        best: dict[tuple[str, ...], tuple[float, Pair, str]] = {}
        torn = {frozenset((a, b)) for c, others in state.ties for o in others for a in c for b in o}
        family = self.weights.default
        for (i, j), value in self.scores.items():
            a, b = state.home[i], state.home[j]
            if a == b or value < family.review or state.divided(a, b) or not self._speaks(i, j):
                continue
            kind = "tie" if frozenset((i, j)) in torn else "likely"
            cis = tuple(sorted((ci_of[self.views[i].record.id], ci_of[self.views[j].record.id])))
            told = (value, (-i, -j), kind)
            best[cis] = max(best.get(cis, told), told)
        for cis, (value, (i, j), kind) in sorted(best.items()):
            yield self._review(kind, cis, (-i, -j), value)

    def _review(self, kind: str, cis: tuple[str, ...], pair: Pair, value: float) -> Review:
        one, two = (self.views[i] for i in pair)
        terms = breakdown(one, two, self.weights.between(one.record.family, two.record.family))
        return Review(kind, cis, (one.record.id, two.record.id), value, terms)

    def _replacements(
        self, heirs: Iterable[Replacement], ci_of: Mapping[str, str], overridden: frozenset[str]
    ) -> Iterable[Review]:
        """What came in the place of what, as far as nobody said so or denied it."""
        ruled = [d for d in self.decisions if d.id not in overridden]
        known = {r.id: r for r in self.records}
        for one in unanswered(heirs, ci_of, known, ruled):
            i, j = one.views
            yield self._review("replaces", (one.new, one.old), one.views, self.scores[min(i, j), max(i, j)])

    def _speaks(self, i: int, j: int) -> bool:
        """Whether two records that prove something share more than a name."""
        strong = self.weights.strong
        return any(kind in strong and worth > 0 for kind, worth in self.found[i, j])


def _chain(successors: Mapping[str, str], id_: str) -> Iterable[str]:
    while id_ in successors:
        id_ = successors[id_]
        yield id_


def _separates(sides: Sequence[Sequence[str]], id_: str, others: set[str]) -> bool:
    return any(id_ in side and not others.isdisjoint(other) for side in sides for other in sides if other is not side)


def _names(decision: Decision, known: set[str]) -> bool:
    return sum(any(id_ in known for id_ in side) for side in decision.sides) > 1 or (
        decision.verb == "merge" and len({id_ for side in decision.sides for id_ in side} & known) > 1
    )


def _pairs(views: Sequence[View]) -> Iterator[Pair]:
    """The pairs of which anything may follow. Who neither proves anything nor answered anywhere bears a name at most, which
    neither joins nor separates: only versions of one key are compared then."""
    mute = [not view.strong and not view.record.address for view in views]
    yield from combinations([i for i, silent in enumerate(mute) if not silent], 2)
    versions: dict[tuple[str, str], list[int]] = {}
    for i, view in enumerate(views):
        if view.record.native_key is not None:
            versions.setdefault((view.record.source, view.record.native_key), []).append(i)
    for same in versions.values():
        yield from ((i, j) for i, j in combinations(same, 2) if mute[i] or mute[j])
