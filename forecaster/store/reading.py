"""Reading a published version: its manifest, and its files only after they were verified.

Readers take no lock, so a store on a read-only disk can be served. The sums are proof against damage, not
against malice: who can write to the store can write a manifest to match.
"""

from dataclasses import dataclass
from pathlib import Path

from forecaster.errors import StoreError
from forecaster.store.hashing import verify
from forecaster.store.layout import Layout
from forecaster.store.manifest import MANIFEST_FILE, Manifest, parse_manifest

__all__ = ["Version", "read_manifest", "read_version"]


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
    forecaster.errors.StoreError: store/.manifests/energy/1/manifest.json is missing. ...
    """
    manifest = read_manifest(layout, name, number)
    served, side = layout.served(name, number), layout.side(name, number)
    verify(manifest.files, served, side, _remedy(name))
    return Version(name, number, served, side, manifest)


def read_manifest(layout: Layout, name: str, number: int) -> Manifest:
    """Return a version's manifest.

    Args:
        layout: The store's paths.
        name: The pipeline's name.
        number: The version's number.

    Returns:
        The manifest.

    Raises:
        StoreError: If it is missing, damaged, another version's or of an unknown format.
        OSError: If it cannot be read.

    >>> read_manifest(Layout(Path("store")), "energy", 1)
    Traceback (most recent call last):
    forecaster.errors.StoreError: store/.manifests/energy/1/manifest.json is missing. ...
    """
    path = layout.side(name, number) / MANIFEST_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise StoreError(f"{path} is missing. {_remedy(name)}") from error
    manifest = parse_manifest(content, path, _remedy(name))
    if (manifest.name, manifest.version) != (name, number):
        raise StoreError(
            f"{path} is the manifest of version {manifest.version} of {manifest.name}: it was copied or "
            f"renamed by hand. {_remedy(name)}"
        )
    return manifest


def _remedy(name: str) -> str:
    return f"Return to an older one (forecaster models rollback {name}) or publish again (forecaster run)."
