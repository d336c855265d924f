"""Publishing a staged version, so that a crash at any point leaves the old champion or the new one, whole.

All bytes are synced first. Then, under the store's lock, come two renames: the manifest with its side files,
then the SavedModel. The second is the commit point: before it readers see the old champion, after it the new
one, which by then has its manifest.

The lock is flock(2) on one file rather than a loop of exclusive mkdirs: a loop can reserve a number, but
cannot tell a manifest that is just being published from one whose publisher was killed.
"""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from forecaster.errors import StoreError
from forecaster.store.durable import exclusive, make_folder, sync, write_file
from forecaster.store.hashing import seal
from forecaster.store.layout import Layout, numbered_folders, taken_numbers
from forecaster.store.manifest import MANIFEST_FILE, Manifest, ManifestDraft
from forecaster.store.reading import Version
from forecaster.store.staging import Staging

__all__ = ["publish"]


def publish(layout: Layout, staging: Staging, draft: ManifestDraft, over: int | None = None) -> Version:
    """Make what was staged the new champion, under the next number.

    Args:
        layout: The store's paths.
        staging: The staged version.
        draft: What is to be known about it; name, number, time and sums are filled in here.
        over: The champion that it was compared with, 0 for none; if another one has come since, it is refused.

    Returns:
        The published version.

    Raises:
        StoreError: If there is nothing to publish, something is a symbolic link, the staging is over, or
            the champion is not the one that was compared.
        OSError: If the disk is full or a right is missing. The staged files are still there.

    >>> draft = ManifestDraft.model_construct()
    >>> publish(Layout(Path("store")), Staging("energy", Path("store/.staging/energy.x")), draft)
    Traceback (most recent call last):
    forecaster.errors.StoreError: store/.staging/energy.x was published or removed: stage energy again.
    """
    if not staging.served.is_dir():
        raise StoreError(f"{staging.folder} was published or removed: stage {staging.name} again.")
    sums = seal(staging.served, staging.side)
    with exclusive(layout.lock):
        _check_champion(layout, staging.name, over)
        number = _next_number(layout, staging.name)
        described = {"name": staging.name, "version": number, "created": datetime.now(UTC), "files": sums}
        manifest = Manifest.model_validate({**draft.model_dump(), **described})
        write_file(staging.side / MANIFEST_FILE, manifest.to_json())
        served, side = layout.served(staging.name, number), layout.side(staging.name, number)
        _commit(staging, served, side)
    return Version(staging.name, number, served, side, manifest)


def _check_champion(layout: Layout, name: str, over: int | None) -> None:
    champion = max(numbered_folders(layout.root / name), default=0)
    if over is not None and champion != over:
        now, then = (f"version {one}" if one else "none" for one in (champion, over))
        raise StoreError(
            f"The champion of {name} is {now}, and was {then} when this one was compared with it: another run has "
            "published meanwhile. Compare again (forecaster retrain)."
        )


def _next_number(layout: Layout, name: str) -> int:
    parents = (layout.root / name, layout.manifests / name, layout.quarantine / name)
    return 1 + max((number for parent in parents for number in taken_numbers(parent)), default=0)


def _commit(staging: Staging, served: Path, side: Path) -> None:
    for parent in (served.parent, side.parent):
        if parent.is_symlink():
            raise StoreError(f"{parent} is a symbolic link: put a real folder in its place.")
        make_folder(parent)
    with ExitStack() as undo:
        undo.callback(_take_back, staging.side, side, served)
        staging.side.rename(side)
        sync(side.parent)
        staging.served.rename(served)  # the commit point
        undo.pop_all()
    sync(served.parent)


def _take_back(staged: Path, side: Path, served: Path) -> None:
    """Undo the first rename, unless the second was done all the same: Ctrl-C may come right after it."""
    if side.is_dir() and not staged.is_dir() and not served.is_dir():
        side.rename(staged)
