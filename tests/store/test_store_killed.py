"""Law 4: after `kill -9` at any point there is the old champion or the new one, whole."""

import os
import shutil
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from fake_publisher import NAME, publish, tag_of
from publisher_process import answer, publisher, send

from forecaster.store import Store

Ask = Callable[..., int]
KILLED = -signal.SIGKILL


def served_numbers(root: Path) -> list[int]:
    """What TensorFlow Serving would find: every folder with a number for a name."""
    folder = root / NAME
    return sorted(int(path.name) for path in folder.iterdir()) if folder.is_dir() else []


def leftovers(root: Path) -> list[Path]:
    """Everything that is neither a version with its manifest nor the store's lock."""
    versions = {str(number) for number in served_numbers(root)}
    manifests = root / ".manifests" / NAME
    staging = root / ".staging"
    found = [path for path in manifests.glob("*") if path.name not in versions]
    found += [path for path in staging.glob("*") if path.name != ".lock"]
    if not versions:
        found += [path for path in (root / NAME, manifests) if path.exists()]
    return found


def test_the_fixtures_kill_is_a_real_one(tmp_path: Path, ask: Ask) -> None:
    assert ask(root=str(tmp_path), job="publish", tag="x", kill_at=1) == KILLED
    assert ask(root=str(tmp_path), job="publish", tag="x", kill_at=0) == 0


@pytest.mark.parametrize("before", [0, 1])
def test_a_publisher_killed_at_any_step_leaves_the_old_champion_or_the_new_one(
    tmp_path: Path, ask: Ask, before: int
) -> None:
    template = tmp_path / "template"
    template.mkdir()
    for number in range(1, before + 1):
        publish(Store(template), f"v{number}")
    champions = []
    for kill_at in count(1):
        root = tmp_path / str(kill_at)
        shutil.copytree(template, root)
        outcome = ask(root=str(root), job="publish", tag=f"v{before + 1}", kill_at=kill_at)
        champions.append(check_after_kill(root, before))
        if outcome == 0:
            break
        assert outcome == KILLED
    old, new = before, before + 1
    assert sorted(champions) == champions, "a later kill must not show an older champion"
    assert set(champions) == {old, new}, "some kill must fall before the commit point and some after it"
    assert len(champions) > 30, "the kills must reach every step"


def check_after_kill(root: Path, before: int) -> int:
    store = Store(root)
    champion = store.champion(NAME) or 0
    assert champion in (before, before + 1)
    assert served_numbers(root) == list(range(1, champion + 1))
    for number in store.versions(NAME):
        assert tag_of(store.read(NAME, number)) == f"v{number}"
    store.sweep()
    assert leftovers(root) == []
    assert store.sweep() == []
    assert store.champion(NAME) == (champion or None)
    again = publish(store, "again")
    assert again.number == champion + 1
    assert tag_of(store.read(NAME)) == "again"
    if champion:
        assert tag_of(store.read(NAME, champion)) == f"v{champion}"
    return champion


def test_publishing_works_without_a_sweep_after_a_kill(tmp_path: Path, ask: Ask) -> None:
    store = Store(tmp_path)
    publish(store, "first")
    for kill_at in count(1):
        outcome = ask(root=str(tmp_path), job="publish", tag=f"killed-{kill_at}", kill_at=kill_at)
        if outcome == 0:
            break
        number = publish(store, f"after-{kill_at}").number
        assert store.champion(NAME) == number
        assert tag_of(store.read(NAME)) == f"after-{kill_at}"
    assert tag_of(store.read(NAME)) == f"killed-{kill_at}"


def test_a_prune_killed_at_any_step_leaves_whole_versions_and_the_champion(tmp_path: Path, ask: Ask) -> None:
    template = tmp_path / "template"
    for number in range(1, 5):
        publish(Store(template), f"v{number}")
    for kill_at in count(1):
        root = tmp_path / str(kill_at)
        shutil.copytree(template, root)
        outcome = ask(root=str(root), job="prune", keep=2, kill_at=kill_at)
        store = Store(root)
        assert store.versions(NAME)[-2:] == [3, 4]
        assert store.versions(NAME) == served_numbers(root)
        for number in store.versions(NAME):
            assert tag_of(store.read(NAME, number)) == f"v{number}"
        store.sweep()
        assert leftovers(root) == []
        store.prune(NAME, keep=2)
        assert served_numbers(root) == [3, 4]
        assert leftovers(root) == []
        if outcome == 0:
            break


def test_a_sweep_killed_at_any_step_is_finished_by_the_next(tmp_path: Path, ask: Ask) -> None:
    template = tmp_path / "template"
    publish(Store(template), "v1")
    for kill_at in (8, 12):  # before and after something was staged
        assert ask(root=str(template), job="publish", tag="v2", kill_at=kill_at) == KILLED
    publish(Store(template), "v2")
    shutil.copytree(template / ".manifests" / NAME / "1", template / ".manifests" / NAME / "7")
    assert len(leftovers(template)) >= 3
    for kill_at in count(1):
        root = tmp_path / str(kill_at)
        shutil.copytree(template, root)
        outcome = ask(root=str(root), job="sweep", kill_at=kill_at)
        store = Store(root)
        assert [tag_of(store.read(NAME, number)) for number in (1, 2)] == ["v1", "v2"]
        store.sweep()
        assert leftovers(root) == []
        if outcome == 0:
            break


def test_a_living_publisher_in_another_process_is_not_swept_and_a_dead_one_is(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with publisher() as process:
        send(process, root=str(tmp_path), job="hold")
        child, folder = int(answer(process)), Path(answer(process))
        assert store.sweep() == []
        assert (folder / "served" / "saved_model.pb").exists()
        os.kill(child, signal.SIGKILL)
        assert int(answer(process)) == KILLED
    assert store.sweep() == [folder]
    assert not folder.exists()
