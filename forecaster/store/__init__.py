"""Trained versions on disk: staged, published atomically, verified before use. Folders and JSON; no Keras."""

from forecaster.store.manifest import FORMAT_VERSION, Manifest, ManifestDraft
from forecaster.store.reading import Version
from forecaster.store.staging import Staging
from forecaster.store.versions import Store

__all__ = ["FORMAT_VERSION", "Manifest", "ManifestDraft", "Staging", "Store", "Version"]
