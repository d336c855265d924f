import os
import shutil
from pathlib import Path

import pytest
from fake_publisher import NAME, publish, tag_of, write

from forecaster.errors import StoreError
from forecaster.store import Store


def test_prune_keeps_the_newest(store: Store) -> None:
    for index in range(1, 6):
        publish(store, f"v{index}")
    publish(store, "other", "other")
    assert store.prune(NAME, keep=2) == [1, 2, 3]
    assert store.versions(NAME) == [4, 5]
    assert [tag_of(store.read(NAME, number)) for number in (4, 5)] == ["v4", "v5"]
    assert sorted(path.name for path in (store.root / ".manifests" / NAME).iterdir()) == ["4", "5"]
    assert [path.name for path in (store.root / ".staging").iterdir()] == [".lock"]
    assert store.versions("other") == [1]
    assert store.prune(NAME, keep=2) == []
    assert publish(store, "v6").number == 6


@pytest.mark.parametrize("keep", [0, -1])
def test_prune_never_takes_the_champion(store: Store, keep: int) -> None:
    publish(store, "x")
    with pytest.raises(StoreError, match=f"keep is {keep}: the champion is always kept"):
        store.prune(NAME, keep=keep)
    assert store.versions(NAME) == [1]


def test_prune_removes_a_version_that_lost_its_manifest(store: Store) -> None:
    shutil.rmtree(publish(store, "x").side)
    publish(store, "y")
    assert store.prune(NAME, keep=1) == [1]


def test_a_version_cannot_be_seen_half_pruned(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish(store, "x")
    publish(store, "y")
    whole = len(list(first.served.rglob("*")))
    seen = set()
    for name in ("unlink", "rmdir", "rename"):
        real = getattr(os, name)

        def watched(*arguments: object, real: object = real, **keywords: object) -> None:
            seen.add(len(list(first.served.rglob("*"))))
            real(*arguments, **keywords)  # type: ignore[operator]

        monkeypatch.setattr(os, name, watched)
    store.prune(NAME, keep=1)
    assert seen == {whole, 0}


def test_sweep_leaves_living_stagings_and_whole_versions(store: Store) -> None:
    publish(store, "old")
    with store.stage(NAME) as staging:
        write(staging.folder, "new")
        assert store.sweep() == []
        assert (staging.side / "model.keras").exists()
    assert tag_of(store.read(NAME)) == "old"


def test_sweep_says_what_it_removed(store: Store) -> None:
    version = publish(store, "old")
    staging = store.root / ".staging"
    (staging / "energy.dead" / "served").mkdir(parents=True)
    orphan = version.side.parent / "2"
    orphan.mkdir()
    empty = store.root / "never_published"
    empty.mkdir()
    assert store.sweep() == [staging / "energy.dead", orphan, empty]
    assert store.sweep() == []
    assert tag_of(store.read(NAME)) == "old"


def test_sweep_does_not_follow_links(store: Store, tmp_path: Path) -> None:
    publish(store, "old")
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    (store.root / ".staging" / "link").symlink_to(precious, target_is_directory=True)
    (store.root / ".staging" / "dead").mkdir()
    (store.root / ".staging" / "dead" / "link").symlink_to(precious, target_is_directory=True)
    store.sweep()
    assert (precious / "file").exists()
    assert not (store.root / ".staging" / "dead").exists()


def test_the_name_of_a_manifest_orphan_is_free_again_only_after_the_sweep(store: Store) -> None:
    version = publish(store, "x")
    (version.side.parent / "2").mkdir()
    assert publish(store, "y").number == 3
    store.sweep()
    assert store.versions(NAME) == [1, 3]


def test_a_store_that_is_not_there_needs_no_cleaning(store: Store) -> None:
    assert store.sweep() == []
    assert store.prune(NAME, keep=1) == []
    assert not store.root.exists()
