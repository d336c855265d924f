"""Challengers: networks that lost against the champion, kept for comparison, never in a served folder.

A challenger is one folder that appears by one rename, with its SavedModel in `served` and its manifest and side files
in `side`. Challengers have numbers of their own.
"""

from datetime import UTC, datetime

from forecaster.errors import StoreError
from forecaster.store.durable import exclusive, explained, make_folder, sync, write_file
from forecaster.store.hashing import seal
from forecaster.store.layout import Layout, check_name, numbered_folders, taken_numbers
from forecaster.store.manifest import MANIFEST_FILE, Manifest, ManifestDraft
from forecaster.store.reading import Version, manifest_in, read_folders
from forecaster.store.staging import Staging, open_staging

__all__ = ["Challengers"]

REMEDY = "Remove its folder; the next retraining makes another challenger."


class Challengers:
    """The challengers in a store; get them as `Store.challengers`.

    Args:
        layout: The store's paths.

    >>> from pathlib import Path
    >>> Challengers(Layout(Path("no", "such", "store"))).numbers("energy")
    []
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def names(self) -> list[str]:
        """List the pipelines that have a challenger.

        Raises:
            StoreError: If the store cannot be read.
        """
        root = self._layout.challengers
        with explained("list the challengers", root):
            return [name for name in self._layout.names(root) if numbered_folders(root / name)]

    def numbers(self, name: str) -> list[int]:
        """List the challengers of a pipeline, ascending.

        Raises:
            StoreError: If the name is impossible or the store cannot be read.
        """
        with explained(f"list the challengers of {name}", self._layout.challengers):
            return numbered_folders(self._layout.challengers / check_name(name))

    def keep(self, staging: Staging, draft: ManifestDraft) -> Version:
        """Keep what was staged as the pipeline's newest challenger.

        Args:
            staging: The staged network; use it inside its `with` block.
            draft: What is to be known about it.

        Returns:
            The challenger.

        Raises:
            StoreError: As `Store.publish`.
        """
        with explained(f"keep a challenger of {staging.name}", self._layout.challengers):
            if not staging.served.is_dir():
                raise StoreError(f"{staging.folder} was published or removed: stage {staging.name} again.")
            sums = seal(staging.served, staging.side)
            with exclusive(self._layout.lock):
                return self._commit(staging, draft, sums)

    def _commit(self, staging: Staging, draft: ManifestDraft, sums: dict[str, str]) -> Version:
        parent = self._layout.challengers / staging.name
        number = 1 + max(taken_numbers(parent), default=0)
        described = {"name": staging.name, "version": number, "created": datetime.now(UTC), "files": sums}
        manifest = Manifest.model_validate({**draft.model_dump(), **described})
        whole = staging.folder / "challenger"
        make_folder(whole)
        write_file(staging.side / MANIFEST_FILE, manifest.to_json())
        staging.served.rename(whole / "served")
        staging.side.rename(whole / "side")
        sync(whole)
        make_folder(parent)
        kept = whole.rename(self._layout.challenger(staging.name, number))  # the commit point
        sync(parent)
        return Version(staging.name, number, kept / "served", kept / "side", manifest)

    def read(self, name: str, number: int | None = None) -> Version:
        """Return a challenger after all its files have been verified by SHA-256.

        Args:
            name: The pipeline's name.
            number: The challenger's; the newest by default.

        Raises:
            StoreError: If there is none, or it is damaged.

        >>> from pathlib import Path
        >>> Challengers(Layout(Path("store"))).read("energy")
        Traceback (most recent call last):
        forecaster.errors.StoreError: store/.challengers holds no challenger of energy. ...
        """
        with explained(f"read a challenger of {name}", self._layout.challengers):
            number = self._existing(name, number)
            folder = self._layout.challenger(name, number)
            return read_folders(folder / "served", folder / "side", name, number, REMEDY)

    def manifest(self, name: str, number: int | None = None) -> Manifest:
        """Return a challenger's manifest, for listing: its files are not verified.

        Raises:
            StoreError: As `read`.
        """
        with explained(f"read a challenger of {name}", self._layout.challengers):
            number = self._existing(name, number)
            return manifest_in(self._layout.challenger(name, number) / "side", name, number, REMEDY)

    def _existing(self, name: str, number: int | None) -> int:
        numbers = self.numbers(name)
        if not numbers:
            raise StoreError(
                f"{self._layout.challengers} holds no challenger of {name}. A retraining keeps one when it does not "
                "beat the champion (forecaster retrain)."
            )
        if number is not None and number not in numbers:
            known = ", ".join(map(str, numbers))
            raise StoreError(f"{self._layout.challengers} holds no challenger {number} of {name}. Choose one: {known}.")
        return numbers[-1] if number is None else number

    def prune(self, name: str, keep: int) -> list[int]:
        """Remove a pipeline's oldest challengers, each at once.

        Args:
            name: The pipeline's name.
            keep: How many of the newest stay; 0 keeps none.

        Returns:
            The numbers of those that were removed, ascending.

        Raises:
            StoreError: If the name is impossible or one cannot be removed.
        """
        numbers = self.numbers(name)
        return self.remove(name, numbers[: len(numbers) - keep] if keep else numbers)

    def remove(self, name: str, numbers: list[int]) -> list[int]:
        """Remove some of a pipeline's challengers; returns those that were there."""
        parent = self._layout.challengers / check_name(name)
        if not set(numbers) & set(self.numbers(name)):
            return []
        with (
            explained(f"remove challengers of {name}", self._layout.challengers),
            open_staging(self._layout.staging, self._layout.lock, name) as bin_,
            exclusive(self._layout.lock),
        ):
            there = sorted(set(numbers) & set(numbered_folders(parent)))
            for number in there:
                self._layout.challenger(name, number).rename(bin_.folder / f"challenger-{number}")
            sync(parent)
        return there
