"""A small estate that people entered: a shop and a wiki, and all that they stand on."""

from __future__ import annotations

from dataclasses import replace

from cmdb_server.answers.impact import ImpactAnswer, impact
from cmdb_server.answers.sight import Sights
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.declare import DeclaredRelation, create, edit
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Store
from cmdb_server.store.tables import CI

NOW = 1_700_000_000_000
VIEWER = Viewer("ann", "reader")


def seeing(projections: Projections, selector: str) -> Viewer:
    """One who sees the CIs that the selector fits."""
    return replace(VIEWER, sight=Sights(projections, VIEWER.kinds).of(selector))


class Shop:
    """Two web servers behind a load balancer, on a database, under a shop; each CI by a short name."""

    def __init__(self, store: Store) -> None:
        self.store, self.ids, self.at = store, {}, NOW
        self.projections = Projections(store, clock=lambda: self.at)

        def to(type_: str, *names: str, group: str | None = None) -> list[DeclaredRelation]:
            return [DeclaredRelation(type_, self.ids[name], group=group) for name in names]

        self.enter("rack", "rack")
        self.enter("db-host", "server", *to("located_in", "rack"))
        self.enter("db", "database_instance", *to("runs_on", "db-host"))
        self.enter("web1", "server")
        self.enter("web2", "server")
        self.enter("lb", "load_balancer", *to("load_balances", "web1", "web2"))
        self.enter("app", "application", *to("depends_on", "lb", "db"))
        self.enter("shop", "business_service", *to("depends_on", "app"), business_criticality="most_critical")
        self.enter("wiki", "business_service", *to("depends_on", "app"), business_criticality="not_critical")

    def enter(self, name: str, class_: str, *relations: DeclaredRelation, **attributes: str) -> None:
        entered = create(self.store, "ann", class_, {"name": name, **attributes}, relations, now_ms=self.at)
        self.ids[name] = entered.ci
        self.at += 1000

    def relate(self, from_: str, type_: str, *to: str) -> None:
        """Relations told later on, in place of those told before."""
        (row,) = self.store.read(lambda tx: tx.get(CI, [(self.ids[from_],)])).values()
        told = [DeclaredRelation(type_, self.ids[one]) for one in to]
        edit(self.store, "ann", row[0], {}, row[6], relations=told, now_ms=self.at)

    def need_both(self) -> None:
        """From now on the load balancer needs both web servers."""
        (row,) = self.store.read(lambda tx: tx.get(CI, [(self.ids["lb"],)])).values()
        edit(self.store, "ann", row[0], {"gate": {"kind": "at_least", "k": 2}}, row[6], now_ms=self.at)

    def impact(self, *failed: str, not_impacted: tuple[str, ...] = (), **more: int | None) -> ImpactAnswer:
        spared = [self.ids[name] for name in not_impacted]
        return impact(
            self.projections,
            VIEWER,
            [self.ids[name] for name in failed],
            not_impacted=spared,
            **more,  # type: ignore[arg-type]
        )
