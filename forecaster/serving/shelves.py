"""Where versions come from: the store's champions, and the challengers that are kept for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from forecaster.errors import StoreError
from forecaster.store import Store, Version
from forecaster.store.hashing import verify
from forecaster.store.layout import Layout, numbered_folders
from forecaster.store.manifest import MANIFEST_FILE, parse_manifest

__all__ = ["ChallengerShelf", "Challengers", "Shelf", "StoreShelf"]

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


class Challengers:
    """The challengers in a store: `.challengers/<name>/<n>/` with `served` and `side`.

    Args:
        root: The store's folder.
    """

    def __init__(self, root: Path) -> None:
        self._layout = Layout(root / ".challengers")

    def names(self) -> list[str]:
        """The pipelines that have one."""
        return self._layout.names(self._layout.root)

    def numbers(self, name: str) -> list[int]:
        """Those of a pipeline, ascending."""
        return numbered_folders(self._layout.root / name)

    def read(self, name: str, number: int) -> Version:
        """One after its files have been verified."""
        folder = self._layout.served(name, number)
        path, remedy = folder / "side" / MANIFEST_FILE, "Remove its folder; the next retraining makes another."
        try:
            manifest = parse_manifest(path.read_bytes(), path, remedy)
            verify(manifest.files, folder / "served", folder / "side", remedy)
        except OSError as error:
            raise StoreError(f"{path} cannot be read ({error.strerror}). {remedy}") from error
        return Version(name, number, folder / "served", folder / "side", manifest)
