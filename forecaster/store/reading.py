"""Reading a published version: its manifest, and its files only after they were verified.

Readers take no lock, so a store on a read-only disk can be served. The sums are proof against damage, not
against malice: who can write to the store can write a manifest to match.
"""

from dataclasses import dataclass
from pathlib import Path

from forecaster.errors import DamagedError
from forecaster.store.hashing import verify
from forecaster.store.layout import Layout
from forecaster.store.manifest import MANIFEST_FILE, Manifest, parse_manifest

__all__ = ["Version", "manifest_in", "read_folders", "read_manifest", "read_version"]


@dataclass(frozen=True)
class Version:
    """A published version whose files were verified.

    Attributes:
        name: The pipeline's name.
        number: The version's number.
        served: The folder of the SavedModel.
        side: The folder of `manifest.json`, `model.keras` and other side files.
        manifest: All that is known about it.

    >>> from dataclasses import fields
    >>> [field.name for field in fields(Version)]
    ['name', 'number', 'served', 'side', 'manifest']
    """

    name: str
    number: int
    served: Path
    side: Path
    manifest: Manifest


def read_version(layout: Layout, name: str, number: int) -> Version:
    """Return a version after all its files have been verified by SHA-256.

    Args:
        layout: The store's paths.
        name: The pipeline's name.
        number: The version's number.

    Returns:
        The version.

    Raises:
        StoreError: If a file was altered, removed or added, or the manifest cannot be used.
        OSError: If a file cannot be read.

    >>> read_version(Layout(Path("store")), "energy", 1)
    Traceback (most recent call last):
    forecaster.errors.DamagedError: store/.manifests/energy/1/manifest.json is missing. ...
    """
    return read_folders(layout.served(name, number), layout.side(name, number), name, number, _remedy(name))


def read_manifest(layout: Layout, name: str, number: int) -> Manifest:
    """Return a version's manifest.

    Args:
        layout: The store's paths.
        name: The pipeline's name.
        number: The version's number.

    Returns:
        The manifest.

    Raises:
        DamagedError: If it is missing, damaged or another version's.
        StoreError: If it is of an unknown format.
        OSError: If it cannot be read.

    >>> read_manifest(Layout(Path("store")), "energy", 1)
    Traceback (most recent call last):
    forecaster.errors.DamagedError: store/.manifests/energy/1/manifest.json is missing. ...
    """
    return manifest_in(layout.side(name, number), name, number, _remedy(name))


def read_folders(served: Path, side: Path, name: str, number: int, remedy: str) -> Version:
    """Return a version, or a challenger, that lies in two folders, after its files have been verified.

    Args:
        served: The folder of the SavedModel.
        side: The folder of the manifest and the side files.
        name: The pipeline's name.
        number: The version's number.
        remedy: What to do about a damaged one, as a sentence.

    Returns:
        The version.

    Raises:
        StoreError: As `read_version`.
        OSError: If a file cannot be read.

    >>> read_folders(Path("served"), Path("side"), "energy", 1, "Publish it again.")
    Traceback (most recent call last):
    forecaster.errors.DamagedError: side/manifest.json is missing. Publish it again.
    """
    manifest = manifest_in(side, name, number, remedy)
    if not served.is_dir():
        raise DamagedError(f"{served} is missing. {remedy}")
    verify(manifest.files, served, side, remedy)
    return Version(name, number, served, side, manifest)


def manifest_in(side: Path, name: str, number: int, remedy: str) -> Manifest:
    """Return the manifest in a folder; see `read_folders`."""
    path = side / MANIFEST_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DamagedError(f"{path} is missing. {remedy}") from error
    manifest = parse_manifest(content, path, remedy)
    if (manifest.name, manifest.version) != (name, number):
        raise DamagedError(
            f"{path} is the manifest of version {manifest.version} of {manifest.name}: it was copied or "
            f"renamed by hand. {remedy}"
        )
    return manifest


def _remedy(name: str) -> str:
    return f"Return to an older one (forecaster models rollback {name}) or publish again (forecaster run)."
