"""Publishing once more what is in the store already: an older version (a rollback) or a challenger."""

import shutil

from forecaster.store.hashing import verify
from forecaster.store.manifest import MANIFEST_FILE
from forecaster.store.reading import Version
from forecaster.store.staging import Staging

__all__ = ["copy_into"]


def copy_into(staging: Staging, version: Version) -> None:
    """Copy a version's files into a staging folder, and make sure that the copies are what was published.

    Args:
        staging: Empty, of the same store.
        version: A version or a challenger.

    Raises:
        DamagedError: If a copy differs from what the manifest says.
        OSError: If something cannot be read or written.

    >>> from pathlib import Path
    >>> nothing = Version("energy", 1, Path("no", "such"), Path("no", "such"), None)
    >>> copy_into(Staging("energy", Path("no")), nothing)
    Traceback (most recent call last):
    FileNotFoundError: ...
    """
    shutil.copytree(version.served, staging.served, dirs_exist_ok=True)
    shutil.copytree(version.side, staging.side, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST_FILE))
    verify(version.manifest.files, staging.served, staging.side, f"Copy {version.name} again.")
