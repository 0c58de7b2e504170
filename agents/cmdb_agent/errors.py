"""What can go wrong in an agent. Each error becomes one line of a report or of the terminal."""

from __future__ import annotations


class AgentError(Exception):
    """Anything the agent refuses or fails at. ``kind`` is the slug that travels in a report."""

    kind = "error"

    def __init__(self, message: str, kind: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind or self.kind


class SettingsError(AgentError):
    kind = "settings"


class TransportError(AgentError):
    """The target could not be read: ``timeout``, ``unreachable``, ``auth``, ``host-key``, ``legacy-crypto``,
    ``channel``, ``too-large``."""

    kind = "unreachable"


class MissingExtra(AgentError):
    """An optional library is not installed; the message names the extra that brings it."""

    kind = "missing-extra"


class DeliveryError(AgentError):
    """The server did not take a report. ``refused``: it never will, so the report is quarantined."""

    kind = "delivery"

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused
