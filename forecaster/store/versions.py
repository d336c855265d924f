"""The store of trained versions: stage, publish, verify, read, sweep, prune."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from forecaster.errors import StoreError
from forecaster.store import cleaning, quarantine
from forecaster.store.challengers import Challengers
from forecaster.store.durable import DISK_FULL, explain, explained
from forecaster.store.layout import Layout, check_name, numbered_folders
from forecaster.store.manifest import Manifest, ManifestDraft
from forecaster.store.publishing import publish
from forecaster.store.reading import Version, read_manifest, read_version
from forecaster.store.republishing import copy_into
from forecaster.store.staging import Staging, open_staging

__all__ = ["Store"]

T = TypeVar("T")


class Store:
    """The versions of all pipelines in one folder; the highest number of a pipeline is its champion.

    Args:
        root: The store's folder. It is made by the first publication.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = Store(Path(folder.name))
    >>> draft = ManifestDraft(
    ...     definition={"horizon": 48}, model="lstm", model_definition={"network": "lstm"}, inferred={},
    ...     inputs={"past": ["y"], "known": [], "static": []}, levels=[80], quantiles=[0.1, 0.5, 0.9],
    ...     horizon=48, lookback=336, frequency={"freq": "30min"}, data={"source": "csv"}, scores={},
    ...     gate={}, seed=1, versions={"python": "3.11"},
    ... )
    >>> with store.stage("energy") as staging:
    ...     _ = (staging.served / "saved_model.pb").write_bytes(b"graph")
    ...     _ = (staging.side / "model.keras").write_bytes(b"weights")
    ...     version = store.publish(staging, draft)
    >>> store.champion("energy"), sorted(store.read("energy").manifest.files)
    (1, ['served/saved_model.pb', 'side/model.keras'])
    >>> folder.cleanup()
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._layout = Layout(root)

    @property
    def challengers(self) -> Challengers:
        """The networks that lost against the champion and are kept for comparison."""
        return Challengers(self._layout)

    def names(self) -> list[str]:
        """List the pipelines that have a published version.

        Returns:
            Their names, in alphabetical order.

        Raises:
            StoreError: If the store cannot be read.

        >>> Store(Path("no", "such", "store")).names()
        []
        """
        with explained("list the store", self.root):
            return [name for name in self._layout.names(self.root) if numbered_folders(self.root / name)]

    def versions(self, name: str) -> list[int]:
        """List a pipeline's versions: real folders that are called 1, 2, ….

        Args:
            name: The pipeline's name.

        Returns:
            The numbers, ascending.

        Raises:
            StoreError: If the name is impossible or the store cannot be read.

        >>> Store(Path("no", "such", "store")).versions("energy")
        []
        """
        with explained(f"list the versions of {name}", self.root):
            return numbered_folders(self.root / check_name(name))

    def champion(self, name: str) -> int | None:
        """Return the number of a pipeline's champion.

        Args:
            name: The pipeline's name.

        Returns:
            The highest version, None if there is none.

        Raises:
            StoreError: If the name is impossible or the store cannot be read.

        >>> Store(Path("no", "such", "store")).champion("energy") is None
        True
        """
        return max(self.versions(name), default=None)

    @contextmanager
    def stage(self, name: str) -> Iterator[Staging]:
        """Give two empty folders to write a version into; remove at the end what was not published.

        Args:
            name: The pipeline's name.

        Yields:
            The folders `served` and `side`.

        Raises:
            StoreError: If the name is impossible, the folders cannot be made, or the disk is full.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Store(Path(folder)).stage("energy") as staging:
        ...     sorted(path.name for path in staging.folder.iterdir())
        ['lock', 'served', 'side']
        """
        check_name(name)
        with ExitStack() as staged:
            with explained(f"stage {name}", self.root):
                staging = staged.enter_context(open_staging(self._layout.staging, self._layout.lock, name))
            try:
                yield staging
            except OSError as error:
                # The block's other faults are its own: a missing data file is not the store's.
                if error.errno in DISK_FULL:
                    raise explain(f"stage {name}", self.root, error) from error
                raise

    def publish(self, staging: Staging, draft: ManifestDraft, over: int | None = None) -> Version:
        """Make what was staged the new champion, at once and for good, under the next number.

        Whatever goes wrong, the old champion stays as it is. Several publishers may work at the same time.
        If it fails before the version appears, the staged files are still there, and it may be tried again.

        Args:
            staging: The staged version; use it inside its `with` block.
            draft: What is to be known about it. A published `Manifest` will do.
            over: The number of the champion that it was compared with, 0 for none: if another one has come
                meanwhile, it is refused. By default it is not asked.

        Returns:
            The published version.

        Raises:
            StoreError: If there is nothing to publish, a file is a symbolic link, the disk is full, a right
                is missing, the staging is over, or another champion has come.
        """
        with explained(f"publish {staging.name}", self.root):
            return publish(self._layout, staging, draft, over)

    def republish(self, version: Version, draft: ManifestDraft, over: int | None = None) -> Version:
        """Publish an older version or a challenger again, as a copy under the next number.

        Args:
            version: As it was read.
            draft: What is to be known about it: its manifest, with what led to this.
            over: As in `publish`.

        Returns:
            The new champion.

        Raises:
            StoreError: As `publish`; or the copy is not what the manifest says.
        """
        with self.stage(version.name) as staging, explained(f"publish {version.name}", self.root):
            copy_into(staging, version)
            return publish(self._layout, staging, draft, over)

    def quarantine(self, name: str, number: int) -> Path | None:
        """Take a damaged version out of service: the version before it becomes the champion.

        Args:
            name: The pipeline's name.
            number: The version's number; it is not given to another.

        Returns:
            The folder in which it lies now; None if it was gone already.

        Raises:
            StoreError: If it cannot be moved.

        >>> Store(Path("no", "such", "store")).quarantine("energy", 1) is None
        True
        """
        with explained(f"quarantine version {number} of {name}", self.root):
            return quarantine.quarantine(self._layout, name, number)

    def read(self, name: str, version: int | None = None) -> Version:
        """Return a version after all its files have been verified by SHA-256.

        Args:
            name: The pipeline's name.
            version: Its number; the champion by default.

        Returns:
            The version.

        Raises:
            StoreError: If there is no such version, a file was altered, removed or added, the manifest is
                damaged or of an unknown format, or something cannot be read.

        >>> Store(Path("no", "such", "store")).read("energy")
        Traceback (most recent call last):
        forecaster.errors.StoreError: no/such/store holds no version of energy. Publish one (forecaster run).
        """
        return self._current(name, version, read_version)

    def manifest(self, name: str, version: int | None = None) -> Manifest:
        """Return a version's manifest, for listing: its files are not verified.

        Args:
            name: The pipeline's name.
            version: Its number; the champion by default.

        Returns:
            The manifest.

        Raises:
            StoreError: If there is no such version, or its manifest is missing, damaged or of an unknown
                format.

        >>> Store(Path("no", "such", "store")).manifest("energy")
        Traceback (most recent call last):
        forecaster.errors.StoreError: no/such/store holds no version of energy. Publish one (forecaster run).
        """
        return self._current(name, version, read_manifest)

    def _current(self, name: str, version: int | None, read: Callable[[Layout, str, int], T]) -> T:
        """Read a version; begin anew when the champion was replaced, and maybe pruned, meanwhile."""
        while True:
            number = self._existing(name, version)
            try:
                with explained(f"read version {number} of {name}", self.root):
                    return read(self._layout, name, number)
            except StoreError:
                if version is not None or self.champion(name) == number:
                    raise

    def _existing(self, name: str, version: int | None) -> int:
        versions = self.versions(name)
        if not versions:
            like = ", ".join(one for one in self.names() if one.startswith(f"{name}-"))
            instead = f"Choose one of: {like}" if like else "Publish one (forecaster run)"
            raise StoreError(f"{self.root} holds no version of {name}. {instead}.")
        if version is None:
            return versions[-1]
        if version not in versions:
            known = ", ".join(map(str, versions))
            raise StoreError(f"{self.root} holds no version {version} of {name}. Choose one of: {known}.")
        return version

    def sweep(self) -> list[Path]:
        """Remove what publishers left behind that were killed; the work of living ones is not touched.

        Returns:
            The folders that were removed.

        Raises:
            StoreError: If something cannot be read or removed.

        >>> Store(Path("no", "such", "store")).sweep()
        []
        """
        with explained("sweep the store", self.root):
            return cleaning.sweep(self._layout)

    def prune(self, name: str, keep: int) -> list[int]:
        """Remove a pipeline's oldest versions, each at once; never the champion.

        Args:
            name: The pipeline's name.
            keep: How many of the newest versions stay, at least 1.

        Returns:
            The numbers of the versions that were removed, ascending.

        Raises:
            StoreError: If `keep` is below 1, the name is impossible, or a version cannot be removed.

        >>> Store(Path("no", "such", "store")).prune("energy", keep=5)
        []
        """
        with explained(f"prune {name}", self.root):
            return cleaning.prune(self._layout, name, keep)
