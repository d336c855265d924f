"""Where versions come from: the store's champions, and the challengers that are kept for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from forecaster.store import Store, Version
from forecaster.store.challengers import Challengers

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
        challengers: Those of the store.
    """

    kept = 1
    suffix = "-challenger"

    def __init__(self, challengers: Challengers) -> None:
        self._challengers = challengers

    def names(self) -> Sequence[str]:
        """As `Shelf.names`."""
        return [name + self.suffix for name in self._challengers.names()]

    def versions(self, name: str) -> Sequence[int]:
        """As `Shelf.versions`."""
        return self._challengers.numbers(name.removesuffix(self.suffix))

    def read(self, name: str, number: int) -> Version:
        """As `Shelf.read`."""
        return self._challengers.read(name.removesuffix(self.suffix), number)
