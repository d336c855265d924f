"""Staging: a private folder in the store in which a version is written before it is published.

Each staging folder holds a lock file that its owner locks for as long as it lives. The kernel lets go of
the lock when the owner dies, so a folder whose lock nobody holds is a dead publisher's leftover.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from forecaster.store.durable import exclusive, is_held, make_folder

__all__ = ["Staging", "is_abandoned", "open_staging"]

_LOCK = "lock"


@dataclass(frozen=True)
class Staging:
    """Two empty folders to write a version into, on the store's own file system.

    Attributes:
        name: The pipeline's name.
        folder: The staging folder as a whole; it is removed at the end.
        served: For the SavedModel.
        side: For `model.keras`, `inspection.json` and other side files. `manifest.json` is written here by
            `Store.publish`.

    >>> Staging("energy", Path("store/.staging/energy.x")).served.name
    'served'
    """

    name: str
    folder: Path

    @property
    def served(self) -> Path:
        """The folder for the SavedModel."""
        return self.folder / "served"

    @property
    def side(self) -> Path:
        """The folder for the side files."""
        return self.folder / "side"


@contextmanager
def open_staging(area: Path, store_lock: Path, name: str) -> Iterator[Staging]:
    """Make a staging folder, and remove it at the end with what is left in it.

    Args:
        area: The store's `.staging` folder.
        store_lock: The store's lock; held while the folder is made and removed, so that no sweep sees it
            half way. Do not hold it when the block ends.
        name: The pipeline's name.

    Yields:
        The staging folder.

    Raises:
        OSError: If the folder cannot be made.

    >>> with tempfile.TemporaryDirectory() as area:
    ...     with open_staging(Path(area), Path(area, ".lock"), "energy") as staging:
    ...         is_abandoned(staging.folder)
    ...     staging.folder.exists()
    False
    False
    """
    make_folder(area)
    with ExitStack() as owned:
        with exclusive(store_lock):
            staging = Staging(name, Path(tempfile.mkdtemp(prefix=f"{name}.", dir=area)))
            owned.enter_context(exclusive(staging.folder / _LOCK))
            owned.callback(_remove_or_leave, staging.folder, store_lock)  # runs before the lock is let go
        staging.served.mkdir()
        staging.side.mkdir()
        yield staging


def is_abandoned(folder: Path) -> bool:
    """Tell whether the owner of a staging folder is gone. Ask only while holding the store's lock.

    A process forked by the owner shares its lock: the folder counts as owned until both are gone.

    Args:
        folder: The staging folder.

    Returns:
        True if nobody holds its lock.

    Raises:
        OSError: If the lock file cannot be opened.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     is_abandoned(Path(folder))
    True
    """
    return not is_held(folder / _LOCK)


def _remove_or_leave(folder: Path, store_lock: Path) -> None:
    # What cannot be removed harms nobody and is the next sweep's; an error here would hide the block's own.
    with suppress(OSError), exclusive(store_lock):
        shutil.rmtree(folder)
