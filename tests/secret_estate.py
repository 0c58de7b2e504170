"""An estate of which somebody is not to see a part: all that is secret is called ``zqxv…``, or is listed by ``secrets``."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.report import Observation, Sample
from cmdb_server.answers.changes.proceeding import move
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest import decisions
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.declare import DeclaredRelation, create
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.model.instants import rfc3339
from cmdb_server.practices import baselines, kept
from cmdb_server.practices.kept import By
from cmdb_server.practices.kind_files import kinds as kept_kinds
from cmdb_server.projection.projections import Projections
from cmdb_server.store import tables
from cmdb_server.store.port import Store
from tests.factories import host, report
from tests.situations import BOX, OTHER, SOFTWARE, of

MARK, CLASS = "zqxv", "zqxvclass"
SEES = f'!name.startsWith("{MARK}")'
"""Everything but what is secret; so whatever of that shows was not kept back."""
CLASS_FILE = 'title = "Vault"\nparent = "server"\n\n[attributes]\nzqxvlevel = { type = "string", title = "Level" }\n'
ADDRESS, MAC = "10.66.6.6", "3c:ec:ef:66:66:66"
HOUR = 3_600_000
BARE = of(BOX, "mac", *SOFTWARE, "name")


class SecretEstate:
    """Servers, services, work and decisions, some of all of them secret; ids by short names."""

    def __init__(
        self, store: Store, projections: Projections, kinds: Mapping[str, CIClass], class_: str = CLASS
    ) -> None:
        self.store, self.projections, self.kinds, self._class = store, projections, kinds, class_
        self.begun = time.time_ns() // 1_000_000 - 12 * HOUR
        self.ids: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self._told = 0
        self._scan()
        self.between = self.begun + 30 * 60_000
        self._enter()
        self._decide()
        self._keep()

    # What is there ----------------------------------------------------------------------------------------------------

    def tell(
        self, hours: float, *seen: Observation, target: str = "10.0.0.0/24", samples: Sequence[Sample] = ()
    ) -> None:
        self._told += 1
        at = self.begun + int(hours * HOUR)
        body = report(f"r{self._told}", at, seen, target=target, samples=samples, coverage={"scope": "partial"})
        ingest(self.store, body, Caller("agent-1", "admin"), at + 1, self.kinds)

    def _scan(self) -> None:
        vault = host(
            f"{MARK}vault", ADDRESS, serial="ZQXVSERIAL", mac=MAC, listens=[5432], uses=[("10.0.0.1", 80)],
            class_=self._class, os_name="zqxvos",
        )  # fmt: skip
        web = host("web", "10.0.0.1", listens=[80], uses=[(ADDRESS, 5432)], os_name="Debian")
        rates = [Sample(ref=name, name=what, value=1.0, unit="By", kind="gauge") for name, what in (
            ("web", "memory.used"), (f"{MARK}vault", "zqxv.used"),
        )]  # fmt: skip
        self.tell(0, vault, web, samples=rates)
        shared = {"serial": ["CZ3411AB0D"]}
        self.tell(
            0.1,
            host("web3", "10.0.0.3", identifiers={"name": ["web3"], **shared, "mac": ["3c:ec:ef:00:03:03"]}),
            host(f"{MARK}third", "10.66.6.3", identifiers={"name": [f"{MARK}third"], **shared, "mac": ["3c:ec:ef:00:03:04"]}),
            target="10.0.3.0/24",
        )  # fmt: skip
        twin = {**BARE, **of(OTHER, "mac")}
        self.tell(0.2, host("web2", "10.0.0.9", identifiers=_told(BARE)), target="10.0.9.0/24")
        self.tell(0.3, host(f"{MARK}twin", "10.0.0.9", identifiers=_told(twin)), target="10.0.9.0/24")
        for row in self.rows(tables.CI):
            self.ids.setdefault(row[2], row[0])
        # The vault is seen once more, and tells otherwise then.
        self.tell(1, host(f"{MARK}vault", ADDRESS, serial="ZQXVSERIAL", mac=MAC, listens=[5432], uses=[("10.0.0.1", 80)],
                          class_=self._class, os_name="zqxvos2"))  # fmt: skip
        self.tell(1, host("web", "10.0.0.1", listens=[80], uses=[(ADDRESS, 5432)], os_name="Debian 13"))

    def _enter(self) -> None:
        vault = f"{MARK}vault"
        self.enter("lb", "load_balancer", self.to("load_balances", "web", "web3", vault, group="pool"))
        self.enter("app", "application", self.to("depends_on", "lb"), owned_by="amy")
        self.enter("shop", "business_service", self.to("depends_on", "app", vault), owned_by="olga",
                   business_criticality="critical", availability_target=99.9)  # fmt: skip
        self.enter(f"{MARK}service", "business_service", self.to("depends_on", "web", "app"), owned_by="zqxvowner",
                   business_criticality="most_critical", availability_target=99.9)  # fmt: skip
        self.enter("wiki", "business_service", self.to("depends_on", f"{MARK}service"), owned_by="olga")

    def enter(self, name: str, class_: str, relations: Sequence[DeclaredRelation], **attributes: Any) -> None:
        self._told += 1
        told = {"name": name, **attributes}
        at = self.begun + HOUR + self._told * 1000
        self.ids[name] = create(self.store, "ann", class_, told, relations, now_ms=at, kinds=self.kinds).ci

    def to(self, type_: str, *names: str, group: str | None = None) -> list[DeclaredRelation]:
        return [DeclaredRelation(type_, self.ids[name], group=group) for name in names]

    # What people decided and keep -------------------------------------------------------------------------------------

    def _decide(self) -> None:
        vault, at = self.ids[f"{MARK}vault"], self.begun + 2 * HOUR
        pin = {"sides": [[vault]], "attribute": "os_name", "pinned": "zqxvpinned"}
        one = decisions.decide(self.store, "ann", "pin", pin, "zqxvreason", at, kinds=self.kinds)
        decisions.undo(self.store, "ann", one, "zqxvundone", at + 1, kinds=self.kinds)
        decisions.decide(self.store, "ann", "pin", pin, "zqxvreason", at + 2, kinds=self.kinds)
        value = {"value": ["serial", "ZQXVSERIAL"]}
        decisions.decide(self.store, "ann", "distrust", value, "zqxvreason", at + 3, kinds=self.kinds)
        tomb = {"sides": [[self.ids[f"{MARK}third"]]], "hold_back": False}
        decisions.decide(self.store, "ann", "tombstone", tomb, "zqxvreason", at + 4, kinds=self.kinds)
        decisions.decide(
            self.store, "ann", "pin", {"sides": [[self.ids["web"]]], "attribute": "os_name", "pinned": "Debian 13"},
            "sure", at + 5, kinds=self.kinds,
        )  # fmt: skip
        baselines.make(self.store, "before", "ann", "", self.between, now_ms=at)

    def _keep(self) -> None:
        vault = f"{MARK}vault"
        expected = [{"edit": "set", "ci": self.ids["web"], "attribute": "os_name", "value": "zqxvexpected"}]
        self.keep("both", "change", {"changed": ["web", vault]}, plan="zqxvplan", back_out="x", expected=expected,
                  windows=[self.window(1, 3)], implementers=["ann"])  # fmt: skip
        self.keep("vault", "change", {"changed": [vault]}, plan="zqxvplan", back_out="x", windows=[self.window(1, 3)])
        self.keep("web", "change", {"changed": ["web"]}, plan="p", back_out="x", windows=[self.window(2, 4)],
                  implementers=["ann"], summary="web only")  # fmt: skip
        for name in ("both", "vault", "web"):
            for transition in ("assess", "authorise"):
                self.go(self.numbers[name], transition, "so be it" if name == "web" else "zqxvnote")
        # What was begun changes the web server's neighbours too, and what was done failed.
        for name, changed in (("begun", ["web"]), ("done", [vault, "web"])):
            self.keep(name, "change", {"changed": changed}, plan="p", type="emergency", windows=[self.window(7, 8)],
                      summary="zqxvsummary" if vault in changed else name)  # fmt: skip
            self.go(self.numbers[name], "authorise", "")
            self.go(self.numbers[name], "schedule", "", "bob")
            self.go(self.numbers[name], "implement", "so be it", started_at=rfc3339(self.between))
        self.go(self.numbers["done"], "review", "", outcome="failed")
        self.keep("outage", "outage", {"down": [vault]}, note="zqxvnote")
        self.keep("freeze", "freeze", {"frozen": [vault, "web"]}, windows=[self.window(5, 6)])
        for name, changes in (("release", ("web", "both")), ("webs", ("web",))):
            self.keep(name, "release", {}, changes=[self.numbers[one] for one in changes], summary=name)

    def keep(self, name: str, kind: str, cis: Mapping[str, Sequence[str]], **body: Any) -> None:
        named = {role: [self.ids[one] for one in names] for role, names in cis.items()}
        told = {"summary": f"zqxvsummary of {name}", **body}
        self.numbers[name] = kept.open_(self.store, kind, told, named, self.by(), kept_kinds()).number

    def go(self, number: str, transition: str, note: str, who: str = "ann", **body: Any) -> None:
        viewer = Viewer(who, "admin", self.kinds)
        move(self.projections, viewer, number, transition, self.by(note, who), body, None, kept_kinds())

    def by(self, note: str = "", who: str = "ann") -> By:
        return By(who, ("admin",), time.time_ns() // 1_000_000, note)

    def window(self, start: float, end: float) -> dict[str, str]:
        now = self.begun + 12 * HOUR
        return {"start": rfc3339(int(now + start * HOUR)), "end": rfc3339(int(now + end * HOUR))}

    # What is secret of it ---------------------------------------------------------------------------------------------

    def rows(self, table: tables.Table) -> list[tuple[Any, ...]]:
        return self.store.read(lambda tx: tx.scan(table, None, 100_000))

    def hidden(self) -> set[str]:
        """The ids of all CIs that are secret, components included."""
        rows = {row[0]: row for row in self.rows(tables.CI)}

        def top(row: tuple[Any, ...]) -> tuple[Any, ...]:
            return top(rows[row[3]]) if row[3] else row

        return {id_ for id_, row in rows.items() if top(row)[2].startswith(MARK)}

    def secrets(self) -> set[str]:
        """Texts that only they hold, in lower case."""
        hidden = self.hidden()
        records = {row[0] for row in self.rows(tables.RECORD) if row[tables.RECORD.position("ci")] in hidden}
        return {*hidden, *records, MARK, ADDRESS, MAC}


def _told(identifiers: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {kind: list(values) for kind, values in identifiers.items()}
