"""Where things lie in a store, and which names are allowed there.

- `<root>/<name>/<n>/`: the SavedModel of version n, nothing else;
- `<root>/.manifests/<name>/<n>/`: its manifest and side files;
- `<root>/.challengers/<name>/<n>/`: a challenger that is kept: its SavedModel in `served`, the rest in `side`;
- `<root>/.quarantine/<name>/<n>/`: a version that was found damaged, taken out of service;
- `<root>/.staging/`: work in progress, and the store's lock.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from forecaster.errors import StoreError

__all__ = ["Layout", "check_name", "numbered_folders", "taken_numbers"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_NAME = 100
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")  # 18 digits fit TensorFlow Serving's 64 bits


def check_name(name: str) -> str:
    """Make sure that a pipeline's name can name a folder, and no folder elsewhere.

    Args:
        name: The name.

    Returns:
        The name.

    Raises:
        StoreError: If it holds anything but letters, digits, `.`, `_`, `-`, starts with one of those three,
            or is too long.

    >>> check_name("energy_demand")
    'energy_demand'
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise StoreError(
            f"{name!r} cannot name a pipeline in the store. Use a letter or digit, then letters, digits, "
            f"'.', '_' or '-', at most {_LONGEST_NAME} characters: energy_demand, say."
        )
    return name


def numbered_folders(folder: Path) -> list[int]:
    """List the versions in a folder: its sub-folders that are called 1, 2, …, no symbolic links.

    Args:
        folder: The folder; a missing one holds none.

    Returns:
        The numbers, ascending.

    Raises:
        OSError: If the folder cannot be read.

    >>> numbered_folders(Path("no", "such", "folder"))
    []
    """
    return sorted(
        int(entry.name)
        for entry in _entries(folder)
        if _NUMBER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
    )


def taken_numbers(folder: Path) -> list[int]:
    """List every number that something in a folder is called, a file, a link or 007 included.

    TensorFlow Serving reads 007 as 7, so a new version must not be given that number.

    Args:
        folder: The folder; a missing one holds none.

    Returns:
        The numbers, in no order.

    Raises:
        OSError: If the folder cannot be read.

    >>> taken_numbers(Path("no", "such", "folder"))
    []
    """
    names = (entry.name.lstrip("0") for entry in _entries(folder))
    return [int(name) for name in names if _NUMBER.fullmatch(name)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


@dataclass(frozen=True)
class Layout:
    """The paths in a store.

    Attributes:
        root: The store's folder.

    >>> Layout(Path("store")).served("energy", 3).as_posix()
    'store/energy/3'
    >>> Layout(Path("store")).side("energy", 3).as_posix()
    'store/.manifests/energy/3'
    """

    root: Path

    @property
    def staging(self) -> Path:
        """The folder of work in progress."""
        return self.root / ".staging"

    @property
    def manifests(self) -> Path:
        """The folder of all manifests."""
        return self.root / ".manifests"

    @property
    def challengers(self) -> Path:
        """The folder of all challengers."""
        return self.root / ".challengers"

    @property
    def quarantine(self) -> Path:
        """The folder of damaged versions."""
        return self.root / ".quarantine"

    @property
    def lock(self) -> Path:
        """The store's lock file."""
        return self.staging / ".lock"

    def served(self, name: str, number: int) -> Path:
        """The folder of a version's SavedModel."""
        return self.root / check_name(name) / str(number)

    def side(self, name: str, number: int) -> Path:
        """The folder of a version's manifest and side files."""
        return self.manifests / check_name(name) / str(number)

    def challenger(self, name: str, number: int) -> Path:
        """The folder of a challenger, SavedModel and side files together."""
        return self.challengers / check_name(name) / str(number)

    def quarantined(self, name: str, number: int) -> Path:
        """The folder of a damaged version, SavedModel and side files together."""
        return self.quarantine / check_name(name) / str(number)

    def names(self, folder: Path) -> list[str]:
        """List the sub-folders of the root or of `.manifests` that a pipeline's versions may lie in."""
        return sorted(
            entry.name
            for entry in _entries(folder)
            if _NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        )
