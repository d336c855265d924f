import os
from pathlib import Path

import pytest
from fake_publisher import NAME, draft, publish, tag_of, write

from forecaster.errors import StoreError
from forecaster.store import Store


def test_an_empty_store_has_no_names_no_versions_and_no_champion(store: Store) -> None:
    assert (store.names(), store.versions(NAME), store.champion(NAME)) == ([], [], None)
    assert not store.root.exists(), "looking must make nothing"


def test_what_is_published_is_what_is_read(store: Store) -> None:
    first, second = publish(store, "first"), publish(store, "second")
    assert (first.number, second.number) == (1, 2)
    assert store.read(NAME) == second
    assert store.read(NAME, 1) == first
    assert tag_of(store.read(NAME, 1)) == "first"
    assert store.names() == [NAME]
    assert store.champion(NAME) == 2


def test_a_served_folder_holds_the_saved_model_only(store: Store) -> None:
    publish(store, "x")
    assert sorted(path.name for path in store.root.iterdir() if not path.name.startswith(".")) == [NAME]
    assert [path.name for path in (store.root / NAME).iterdir()] == ["1"]
    assert sorted(path.name for path in (store.root / NAME / "1").iterdir()) == [
        "assets", "saved_model.pb", "variables",
    ]  # fmt: skip
    assert sorted(path.name for path in (store.root / ".manifests" / NAME / "1").iterdir()) == [
        "manifest.json", "model.keras",
    ]  # fmt: skip


def test_a_served_folder_can_be_read_by_another_user(store: Store) -> None:
    version = publish(store, "x")
    for folder in (version.served, version.side, version.served.parent, version.side.parent):
        assert folder.stat().st_mode & 0o777 == 0o777 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_pipelines_are_numbered_on_their_own(store: Store) -> None:
    publish(store, "x", "a")
    publish(store, "x", "b")
    assert publish(store, "y", "a").number == 2
    assert store.names() == ["a", "b"]
    assert store.versions("b") == [1]


def test_only_real_folders_with_plain_numbers_are_versions(store: Store, tmp_path: Path) -> None:
    version = publish(store, "x")
    for name in ("0", "02", "+3", "1.0", "٤", "5 ", "tmp", "1" * 19):
        (version.served.parent / name).mkdir()
    (version.served.parent / "8").symlink_to(version.served, target_is_directory=True)
    (version.served.parent / "9").write_text("a file")
    (store.root / "linked").symlink_to(version.served.parent, target_is_directory=True)
    assert store.versions(NAME) == [1]
    assert store.names() == [NAME]
    assert publish(store, "y").number == 10, "a number that anything is called is not given again"


def test_versions_are_sorted_as_numbers(store: Store) -> None:
    for _ in range(11):
        publish(store, "x")
    assert store.versions(NAME) == list(range(1, 12))
    assert store.champion(NAME) == 11


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "-x", "a/b", "../x", "/tmp/x", "a\\b", "a\n", "a b", "ä", "a\0", "a" * 101],
)
def test_a_name_that_could_leave_the_store_is_refused(store: Store, name: str) -> None:
    for use in (store.versions, store.champion, store.read, store.manifest, lambda n: store.prune(n, 1)):
        with pytest.raises(StoreError, match="cannot name a pipeline"):
            use(name)
    with pytest.raises(StoreError, match="cannot name a pipeline"), store.stage(name):
        pass
    assert not store.root.exists()


def test_a_long_name_with_dots_is_fine(store: Store) -> None:
    assert publish(store, "x", "A-1_b." * 16 + "abcd").number == 1


def test_staging_is_removed_when_nothing_is_published(store: Store) -> None:
    with store.stage(NAME) as staging:
        write(staging.folder, "x")
    assert not staging.folder.exists()
    with pytest.raises(ZeroDivisionError), store.stage(NAME) as staging:
        write(staging.folder, "x")
        raise ZeroDivisionError
    assert not staging.folder.exists()
    assert store.names() == []


def test_staging_cannot_be_published_twice_or_too_late(store: Store) -> None:
    with store.stage(NAME) as staging:
        write(staging.folder, "x")
        store.publish(staging, draft())
        with pytest.raises(StoreError, match="stage energy again"):
            store.publish(staging, draft())
    with pytest.raises(StoreError, match="stage energy again"):
        store.publish(staging, draft())
    assert store.versions(NAME) == [1]


def test_nothing_cannot_be_published(store: Store) -> None:
    with store.stage(NAME) as staging:
        (staging.side / "model.keras").write_bytes(b"weights")
        with pytest.raises(StoreError, match=r"nothing to publish in .*served"):
            store.publish(staging, draft())
    assert store.names() == []


@pytest.mark.parametrize("place", ["served/link", "side/link", "served/variables/link"])
@pytest.mark.parametrize("target", ["saved_model.pb", "/etc", "nowhere"])
def test_a_symbolic_link_is_not_published(store: Store, place: str, target: str) -> None:
    publish(store, "old")
    with store.stage(NAME) as staging:
        write(staging.folder, "x")
        (staging.folder / place).symlink_to(target)
        with pytest.raises(StoreError, match=f"{place} is a symbolic link"):
            store.publish(staging, draft())
    assert tag_of(store.read(NAME)) == "old"


def test_a_pipe_is_not_published(store: Store) -> None:
    with store.stage(NAME) as staging:
        write(staging.folder, "x")
        os.mkfifo(staging.served / "pipe")
        with pytest.raises(StoreError, match="pipe is a symbolic link or a special file"):
            store.publish(staging, draft())


def test_a_pipelines_folder_that_is_a_link_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    store.root.mkdir()
    (store.root / NAME).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(StoreError, match="energy is a symbolic link: put a real folder"):
        publish(store, "x")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_rollback_publishes_an_older_version_again(store: Store) -> None:
    first = publish(store, "good")
    publish(store, "bad")
    with store.stage(NAME) as staging:
        write(staging.folder, "good")
        again = store.publish(staging, first.manifest)
    assert (again.number, again.manifest.version, again.manifest.files) == (3, 3, first.manifest.files)
    assert tag_of(store.read(NAME)) == "good"
