"""Where versions come from: the store's champions, and the challengers that are kept for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from forecaster.errors import StoreError
from forecaster.store import Store, Version

__all__ = ["ChallengerShelf", "Shelf", "StoreShelf"]

KEPT = 2
"""Versions of a model in memory: the champion and the one before."""


class Shelf(Protocol):
    """A place that holds versions of models."""

    kept: int

    def names(self) -> Sequence[str]:
        """Models that have a version here."""

    def versions(self, name: str) -> Sequence[int]:
        """The versions of a model, ascending."""

    def read(self, name: str, number: int) -> Version:
        """A version after its files have been verified."""


class StoreShelf:
    """The promoted versions, under the pipelines' names.

    Args:
        store: The store.
    """

    kept = KEPT

    def __init__(self, store: Store) -> None:
        self._store = store

    def names(self) -> Sequence[str]:
        """As `Shelf.names`."""
        return self._store.names()

    def versions(self, name: str) -> Sequence[int]:
        """As `Shelf.versions`."""
        return self._store.versions(name)

    def read(self, name: str, number: int) -> Version:
        """As `Shelf.read`."""
        return self._store.read(name, number)


class ChallengerShelf:
    """The newest challenger of each pipeline, under the name `<name>-challenger`.

    Args:
        root: The store's folder; challengers lie in its `.challengers`, which is a store of its own form.
    """

    kept = 1
    suffix = "-challenger"

    def __init__(self, root: Path) -> None:
        self._store = Store(root / ".challengers")

    def names(self) -> Sequence[str]:
        """As `Shelf.names`."""
        return [name + self.suffix for name in self._store.names()]

    def versions(self, name: str) -> Sequence[int]:
        """As `Shelf.versions`."""
        return self._store.versions(self._pipeline(name))

    def read(self, name: str, number: int) -> Version:
        """As `Shelf.read`."""
        return self._store.read(self._pipeline(name), number)

    def _pipeline(self, name: str) -> str:
        if not name.endswith(self.suffix):
            raise StoreError(f"{name} is no challenger's name; it ends in {self.suffix}")
        return name.removesuffix(self.suffix)
