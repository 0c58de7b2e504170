"""The shop with a calendar: changes, freezes and maintenance windows, times in hours from its beginning."""

from __future__ import annotations

from typing import Any

from cmdb_server.answers.changes.proceeding import move
from cmdb_server.answers.viewer import Viewer
from cmdb_server.model.instants import rfc3339
from cmdb_server.practices import kept
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.practices.kind_files import kinds
from tests.shop import NOW, Shop

HOUR = 3_600_000
READY = {"plan": "do it", "back_out": "undo it"}


def window(start: float, end: float, **more: str) -> dict[str, str]:
    return {"start": rfc3339(int(NOW + start * HOUR)), "end": rfc3339(int(NOW + end * HOUR)), **more}


class BookedShop(Shop):
    """``ann`` asks for changes, ``bob`` approves what nobody owns."""

    def by(self, subject: str = "ann", role: str = "operator", note: str = "") -> By:
        return By(subject, (role,), self.at, note)

    def change(self, *changed: str, at: tuple[float, float] = (10, 12), subject: str = "ann", **body: Any) -> Kept:
        """A change of CIs, by their short names, that is not booked yet."""
        told = READY | {"summary": f"change {', '.join(changed)}", "windows": [window(*at)]} | body
        ids = [self.ids[name] for name in changed]
        return kept.open_(self.store, "change", told, {"changed": ids}, self.by(subject))

    def keep(self, kind: str, cis: dict[str, list[str]] | None = None, role: str = "approver", **body: Any) -> Kept:
        named = {name: [self.ids[one] for one in given] for name, given in (cis or {}).items()}
        return kept.open_(self.store, kind, {"summary": kind} | body, named, self.by("bob", role))

    def go(
        self, number: str, transition: str, subject: str = "ann", role: str = "operator", note: str = "", **body: Any
    ) -> Kept:
        """One transition, assessed before where it needs that."""
        viewer = Viewer(subject, role)
        return move(self.projections, viewer, number, transition, self.by(subject, role, note), body, None, kinds())

    def book(self, *changed: str, at: tuple[float, float] = (10, 12), note: str = "", **body: Any) -> Kept:
        """A change that is scheduled, all its approvals given."""
        made = self.change(*changed, at=at, **body)
        for transition in ("assess", "authorise"):
            self.go(made.number, transition)
        self.approve(made.number)
        return self.go(made.number, "schedule", "bob", "approver", note)

    def approve(self, number: str) -> None:
        for one in self.approvals(number):
            self.go(one.number, "approve", one.body.get("approver") or "bob", "approver")

    def approvals(self, number: str) -> list[Kept]:
        from cmdb_server.practices import assessments

        def work(tx: Any) -> list[Kept]:
            found = assessments.current(tx, number)
            return assessments.approvals(tx, found) if found else []

        return self.store.read(work)
