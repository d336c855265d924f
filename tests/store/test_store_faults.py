"""Full disks, missing rights, Ctrl-C and power failures: the old champion or the new one, and a remedy."""

import errno
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fake_publisher import NAME, draft, publish, tag_of, write

from forecaster.errors import StoreError
from forecaster.store import Store


def fail_at(monkeypatch: pytest.MonkeyPatch, k: int, number: int) -> None:
    """Let the k-th fsync, rename or mkdir from now on fail."""
    calls = 0

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == k:
                raise OSError(number, os.strerror(number), *(a for a in arguments[:1] if isinstance(a, Path)))
            return real(*arguments, **keywords)

        return call

    for name in ("fsync", "rename", "mkdir"):
        monkeypatch.setattr(os, name, failing(getattr(os, name)))


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "Free some disk"), (errno.EACCES, "Give this user the right"), (errno.EIO, "Check that")],
)
def test_a_fault_of_the_disk_at_any_step_says_what_to_do_and_leaves_the_old_champion(
    store: Store, number: int, remedy: str
) -> None:
    publish(store, "old")
    champions = []
    for k in count(1):
        with pytest.MonkeyPatch.context() as patch, store.stage(NAME) as staging:
            write(staging.folder, "new")
            fail_at(patch, k, number)
            try:
                store.publish(staging, draft(data={"tag": "new"}))
                break
            except StoreError as error:
                message = str(error)
        assert message.startswith("Cannot publish energy: ")
        assert remedy in message
        assert str(store.root) in message
        assert store.sweep() == [], "the publisher itself clears up"
        champions.append(tag_of(store.read(NAME)))
    assert len(champions) > 10, "the faults must reach every step"
    assert champions == ["old"] * (len(champions) - 1) + ["new"], "the last step is after the commit point"


def test_publishing_may_be_tried_again_after_a_fault(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(store, "old")
    real = os.rename

    def full(source: Path, target: Path) -> None:
        if target == store.root / NAME / "2":
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        real(source, target)

    with store.stage(NAME) as staging:
        write(staging.folder, "new")
        with monkeypatch.context() as patch, pytest.raises(StoreError, match=r"energy/2: No space left"):
            patch.setattr(os, "rename", full)
            store.publish(staging, draft(data={"tag": "new"}))
        assert store.champion(NAME) == 1
        assert store.publish(staging, draft(data={"tag": "new"})).number == 2
    assert tag_of(store.read(NAME)) == "new"


def test_ctrl_c_right_after_the_commit_point_leaves_the_new_champion_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.rename

    def interrupted(source: Path, target: Path) -> None:
        real(source, target)
        if target == store.root / NAME / "1":
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(store, "new")
    assert tag_of(store.read(NAME)) == "new"


def test_a_full_disk_while_the_model_is_written_is_explained_and_other_faults_pass(store: Store) -> None:
    with pytest.raises(StoreError, match="Free some disk space"), store.stage(NAME):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(FileNotFoundError), store.stage(NAME):
        Path("no such data file").read_bytes()


def test_a_read_only_store_is_read_but_not_written(store: Store) -> None:
    publish(store, "old")
    folders = [store.root, store.root / NAME, store.root / ".staging", store.root / ".manifests" / NAME]
    for folder in folders:
        folder.chmod(0o555)
    try:
        if os.access(store.root, os.W_OK):
            pytest.skip("this user (root) may write everywhere")
        with pytest.raises(StoreError, match="Give this user the right to read and write"):
            publish(store, "new")
        assert tag_of(store.read(NAME)) == "old"
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_store_that_is_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    store = Store(tmp_path / "store")
    for use in (store.names, lambda: store.versions(NAME), lambda: publish(store, "x")):
        with pytest.raises(StoreError, match=r"store.*(Not a directory|File exists)"):
            use()


def test_everything_is_on_the_disk_before_the_version_appears(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill loses no written bytes; a power failure loses those that were not synced."""
    publish(store, "old")
    synced: list[int] = []
    before_commit: set[int] = set()
    rename = os.rename

    def note_sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)

    def note_rename(source: Path, target: Path) -> None:
        if target == store.root / NAME / "2":
            before_commit.update(synced)
            synced.clear()
        rename(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "rename", note_rename)
    version = publish(store, "new")
    for folder in (version.served, version.side):
        for path in (folder, *folder.rglob("*")):
            assert path.stat().st_ino in before_commit, f"{path} may be lost"
    assert version.side.parent.stat().st_ino in before_commit
    assert synced == [version.served.parent.stat().st_ino]
