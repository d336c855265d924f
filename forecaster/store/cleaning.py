"""Removing versions: what dead publishers left, and versions that are too old to keep."""

import shutil
from contextlib import suppress
from pathlib import Path

from forecaster.errors import StoreError
from forecaster.store.durable import exclusive, make_folder, sync
from forecaster.store.layout import Layout, check_name, numbered_folders
from forecaster.store.staging import is_abandoned, open_staging

__all__ = ["prune", "sweep"]


def sweep(layout: Layout) -> list[Path]:
    """Remove what dead publishers left; the store's lock keeps living ones from being half way.

    A quarantine that was half way is finished: the manifest and the side files follow their SavedModel there.

    Args:
        layout: The store's paths.

    Returns:
        The folders that were removed: abandoned staging folders, manifests without a SavedModel, and
        folders of pipelines that hold no version.

    Raises:
        OSError: If something cannot be read or removed.

    >>> sweep(Layout(Path("no", "such", "store")))
    []
    """
    if not layout.root.is_dir():
        return []
    make_folder(layout.staging)
    with exclusive(layout.lock):
        abandoned = [path for path in _folders(layout.staging) if is_abandoned(path)]
        orphans = [path for path in _manifests_without_model(layout) if not _follows(layout, path)]
        for path in abandoned + orphans:
            shutil.rmtree(path)
        return abandoned + orphans + _remove_empty(layout)


def prune(layout: Layout, name: str, keep: int) -> list[int]:
    """Remove the oldest versions of a pipeline. Each vanishes at once, by a rename into a staging folder.

    Args:
        layout: The store's paths.
        name: The pipeline's name.
        keep: How many of the newest versions stay, at least 1: the champion.

    Returns:
        The numbers of the versions that were removed, ascending.

    Raises:
        StoreError: If `keep` is below 1, or the name is impossible.
        OSError: If a version cannot be moved.

    >>> prune(Layout(Path("no", "such", "store")), "energy", keep=5)
    []
    """
    if keep < 1:
        raise StoreError(f"keep is {keep}: the champion is always kept, so write 1 or more.")
    versions = layout.root / check_name(name)
    if len(numbered_folders(versions)) <= keep:
        return []
    with open_staging(layout.staging, layout.lock, name) as bin_, exclusive(layout.lock):
        old = numbered_folders(versions)[:-keep]
        for number in old:
            layout.served(name, number).rename(bin_.folder / f"served-{number}")
            sync(versions)
            with suppress(FileNotFoundError):
                layout.side(name, number).rename(bin_.folder / f"side-{number}")
    return old


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.is_symlink())


def _manifests_without_model(layout: Layout) -> list[Path]:
    return [
        layout.side(name, number)
        for name in layout.names(layout.manifests)
        for number in sorted(set(numbered_folders(layout.manifests / name)) - set(numbered_folders(layout.root / name)))
    ]


def _follows(layout: Layout, side: Path) -> bool:
    """Moves a manifest into quarantine if its SavedModel is there."""
    quarantined = layout.quarantined(side.parent.name, int(side.name))
    if not (quarantined / "served").is_dir() or (quarantined / "side").exists():
        return False
    side.rename(quarantined / "side")
    sync(quarantined)
    return True


def _remove_empty(layout: Layout) -> list[Path]:
    removed = []
    for parent in (layout.root, layout.manifests, layout.challengers):
        for path in (parent / name for name in layout.names(parent)):
            if not any(path.iterdir()):
                path.rmdir()
                removed.append(path)
    return removed
