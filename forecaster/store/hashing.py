"""The files of a version and their SHA-256 sums.

A file is named by its place in the version: `served/…` for the SavedModel, `side/…` for what lies beside
the manifest. The manifest itself holds the sums, so it has none.
"""

import hashlib
import os
from pathlib import Path

from forecaster.errors import DamagedError, StoreError
from forecaster.store.durable import sync
from forecaster.store.manifest import MANIFEST_FILE

__all__ = ["seal", "sha256", "verify", "version_files"]


def sha256(path: Path) -> str:
    """Hash a file.

    Args:
        path: The file.

    Returns:
        The SHA-256 sum of its bytes, in 64 hexadecimal digits.

    Raises:
        OSError: If it cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "empty").write_bytes(b"")
    ...     sha256(Path(folder, "empty"))[:16]
    'e3b0c44298fc1c14'
    """
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _walk(folder: Path) -> tuple[list[Path], list[Path]]:
    """List the files and the folders under a folder (itself the last: each folder follows its content)."""
    if folder.is_symlink():
        raise StoreError(f"{folder} is a symbolic link; a version holds plain files only. Put a copy there.")
    files: list[Path] = []
    folders: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                inner_files, inner_folders = _walk(path)
                files += inner_files
                folders += inner_folders
            elif entry.is_file(follow_symlinks=False):
                files.append(path)
            else:
                raise StoreError(
                    f"{path} is a symbolic link or a special file; a version holds plain files only. "
                    "Put a copy of the file in its place, or remove it."
                )
    return files, [*folders, folder]


def version_files(served: Path, side: Path) -> dict[str, Path]:
    """Find every file of a version.

    Args:
        served: The folder of the SavedModel.
        side: The folder of the side files; its `manifest.json` is left out.

    Returns:
        The name of each file in the manifest (`served/saved_model.pb`, `side/model.keras`) and its path.

    Raises:
        StoreError: If there is a symbolic link or another thing that is not a plain file.
        OSError: If a folder cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as served, tempfile.TemporaryDirectory() as side:
    ...     _ = Path(served, "saved_model.pb").write_bytes(b"graph")
    ...     list(version_files(Path(served), Path(side)))
    ['served/saved_model.pb']
    """
    found = {}
    for prefix, folder in (("served", served), ("side", side)):
        for path in _walk(folder)[0]:
            found[f"{prefix}/{path.relative_to(folder).as_posix()}"] = path
    found.pop(f"side/{MANIFEST_FILE}", None)
    return found


def seal(served: Path, side: Path) -> dict[str, str]:
    """Hash a finished version and wait until all of it is on the disk.

    Args:
        served: The folder of the SavedModel.
        side: The folder of the side files.

    Returns:
        The SHA-256 sum of each file, by its name in the manifest.

    Raises:
        StoreError: If there is no SavedModel, or anything that is not a plain file.
        OSError: If something cannot be read or synced.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as served, tempfile.TemporaryDirectory() as side:
    ...     _ = Path(side, "model.keras").write_bytes(b"weights")
    ...     seal(Path(served), Path(side))
    Traceback (most recent call last):
    forecaster.errors.StoreError: There is nothing to publish in ...: write the SavedModel there first.
    """
    files = version_files(served, side)
    if not any(name.startswith("served/") for name in files):
        raise StoreError(f"There is nothing to publish in {served}: write the SavedModel there first.")
    sums = {name: sha256(path) for name, path in files.items()}
    for path in files.values():
        sync(path)
    for folder in [*_walk(served)[1], *_walk(side)[1]]:
        sync(folder)
    return sums


def verify(sums: dict[str, str], served: Path, side: Path, remedy: str) -> None:
    """Make sure that a version's files are the published ones: none altered, missing or added.

    Args:
        sums: The manifest's sums, by file name.
        served: The folder of the SavedModel.
        side: The folder of the side files.
        remedy: What to do about a damaged version, as a sentence.

    Raises:
        DamagedError: At the first file that was altered or is missing.
        StoreError: If a file was added.
        OSError: If a file cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as served, tempfile.TemporaryDirectory() as side:
    ...     verify({}, Path(served), Path(side), "Publish it again.")
    """
    files = version_files(served, side)
    for name in sorted(sums.keys() - files.keys()):
        place = (served if name.startswith("served/") else side) / name.partition("/")[2]
        raise DamagedError(f"{place} is missing: it was published and is in the manifest. {remedy}")
    for name in sorted(files.keys() - sums.keys()):
        raise StoreError(f"{files[name]} was added after publication: the manifest does not list it. Remove the file.")
    for name, path in sorted(files.items()):
        if sha256(path) != sums[name]:
            raise DamagedError(
                f"{path} was altered or damaged after publication: its SHA-256 sum is not the manifest's. {remedy}"
            )
