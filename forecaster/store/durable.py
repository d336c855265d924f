"""File-system steps that survive a crash: made, written and synced so that their order on disk is known.

A rename is atomic, but only an fsync of its folder makes it last through a power failure; a file's name
may reach the disk before its bytes do. So: sync the bytes, sync the folder, then rename, then sync again.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecaster.errors import StoreError

__all__ = ["DISK_FULL", "exclusive", "explain", "explained", "is_held", "make_folder", "sync", "write_file"]

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def sync(path: Path) -> None:
    """Wait until the bytes of a file, or the names in a folder, are on the disk.

    Args:
        path: A file or a folder.

    Raises:
        OSError: If it cannot be opened or synced.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sync(Path(folder))
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Make a folder and the missing ones above it, each of them synced into its parent.

    Args:
        path: The folder; nothing is done when it is there already.

    Raises:
        OSError: If it cannot be made, or is there as something else.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_folder(Path(folder, "a", "b"))
    ...     Path(folder, "a", "b").is_dir()
    True
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def write_file(path: Path, text: str) -> None:
    r"""Write a text file and sync it and its folder.

    Args:
        path: The file; it is overwritten. Its folder must be there.
        text: The content, written as UTF-8.

    Raises:
        OSError: If it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(Path(folder, "note"), "naïve")
    ...     Path(folder, "note").read_bytes()
    b'na\xc3\xafve'
    """
    path.write_bytes(text.encode())
    sync(path)
    sync(path.parent)


@contextmanager
def exclusive(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold a lock file for the length of a `with` block.

    The lock is flock(2)'s: the kernel lets go of it when its process dies, however it dies, so no stale
    lock can be left behind, and it excludes threads as well as processes.

    Args:
        path: The lock file. It is made when missing, and stays.
        wait: Whether to wait for whoever holds it.

    Yields:
        Nothing.

    Raises:
        OSError: If the file cannot be opened or the file system knows no locks; a BlockingIOError if another one
            holds the lock and `wait` is False.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, exclusive(Path(folder, "lock")):
    ...     is_held(Path(folder, "lock"))
    True
    """
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield
        finally:
            # Closing alone is not enough: a process forked meanwhile shares the lock through its copy.
            fcntl.flock(handle, fcntl.LOCK_UN)


def is_held(path: Path) -> bool:
    """Tell whether a living process (or thread) holds a lock file.

    Args:
        path: The lock file; a missing one is held by nobody.

    Returns:
        True if it is held.

    Raises:
        OSError: If the file is there and cannot be opened.

    >>> is_held(Path("no", "such", "file"))
    False
    """
    try:
        with path.open("r+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def explain(action: str, folder: Path, error: OSError) -> StoreError:
    """Turn a fault of the disk into an error that says where it is and what to do.

    Args:
        action: What was being done: "publish energy", say.
        folder: The store, named when the fault itself names no path.
        error: The fault.

    Returns:
        The error to raise.

    >>> print(explain("publish energy", Path("models/store"), OSError(28, "No space left on device")))
    Cannot publish energy: models/store: No space left on device. Free some disk space, then try again.
    """
    if error.errno in DISK_FULL:
        remedy = "Free some disk space, then try again."
    elif error.errno in _NOT_ALLOWED:
        remedy = f"Give this user the right to read and write {folder}, then try again."
    else:
        remedy = f"Check that {folder} is a folder on a healthy disk, then try again."
    where = error.filename2 or error.filename or folder
    return StoreError(f"Cannot {action}: {where}: {error.strerror or error}. {remedy}")


@contextmanager
def explained(action: str, folder: Path) -> Iterator[None]:
    """Let a block's `OSError` come out as a `StoreError` with path and remedy.

    Args:
        action: What the block does.
        folder: The store.

    Yields:
        Nothing.

    Raises:
        StoreError: In place of an `OSError`.

    >>> with explained("read energy", Path("models/store")):
    ...     pass
    """
    try:
        yield
    except OSError as error:
        raise explain(action, folder, error) from error
