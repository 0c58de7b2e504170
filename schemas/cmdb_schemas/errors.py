"""What can be wrong with a definition that people write."""

from __future__ import annotations


class DefinitionError(ValueError):
    """A file that defines a class or a relation type is not usable. The message names the file and the key."""
