"""Challengers, rollbacks and promotions by hand: whole after `kill -9` at any step, verified, numbered on."""

import shutil
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from fake_publisher import NAME, draft, keep, publish, tag_of, write

from forecaster.errors import DamagedError, StoreError
from forecaster.lifecycle.champions import promote, rollback, whole_champion
from forecaster.store import Store

Ask = Callable[..., int]
KILLED = -signal.SIGKILL


def spoil(folder: Path) -> None:
    path = folder / "saved_model.pb"
    path.write_bytes(path.read_bytes() + b"!")


def tags(store: Store) -> list[str]:
    return [tag_of(store.read(NAME, number)) for number in store.versions(NAME)]


def test_a_challenger_is_kept_out_of_what_is_served_and_read_back_verified(store: Store) -> None:
    publish(store, "champion")
    assert [keep(store, tag).number for tag in ("a", "b")] == [1, 2]
    assert store.challengers.numbers(NAME) == [1, 2] and store.versions(NAME) == [1]
    assert tag_of(store.challengers.read(NAME)) == "b"
    assert sorted(path.name for path in (store.root / NAME).iterdir()) == ["1"]
    assert store.challengers.names() == [NAME] and store.names() == [NAME]
    spoil(store.challengers.read(NAME, 1).served)
    with pytest.raises(DamagedError, match=r"challengers/energy/1/served/saved_model.pb was altered"):
        store.challengers.read(NAME, 1)


def test_challengers_are_pruned_from_the_oldest_and_numbers_are_not_given_again(store: Store) -> None:
    for tag in "abcd":
        keep(store, tag)
    assert store.challengers.prune(NAME, keep=2) == [1, 2]
    assert store.challengers.numbers(NAME) == [3, 4]
    assert keep(store, "e").number == 5
    assert store.challengers.prune(NAME, keep=0) == [3, 4, 5]
    store.sweep()
    assert not (store.root / ".challengers" / NAME).exists()


def test_a_missing_challenger_says_which_there_are(store: Store) -> None:
    with pytest.raises(StoreError, match="holds no challenger of energy"):
        store.challengers.read(NAME)
    keep(store, "a")
    with pytest.raises(StoreError, match=r"no challenger 7 of energy. Choose one: 1"):
        store.challengers.read(NAME, 7)


def test_a_rollback_publishes_the_older_version_again_under_the_next_number(store: Store) -> None:
    for tag in "abc":
        publish(store, tag)
    again = rollback(store, NAME)
    assert (again.number, tag_of(again)) == (4, "b")
    assert again.manifest.gate["rollback"] == {"of": 2, "from": 3}
    assert "Rolled back from version 3 to version 2." in again.manifest.gate["verdict"]
    assert again.manifest.files == store.read(NAME, 2).manifest.files


def test_a_second_rollback_goes_further_back_and_not_to_what_was_left(store: Store) -> None:
    for tag in "abc":
        publish(store, tag)
    rollback(store, NAME)
    assert tag_of(rollback(store, NAME)) == "a"
    with pytest.raises(StoreError, match="nothing to roll back to"):
        rollback(store, NAME)
    assert tag_of(rollback(store, NAME, to=3)) == "c"


@pytest.mark.parametrize(("to", "message"), [(2, "is the champion already"), (9, "holds no version 9")])
def test_a_rollback_to_the_champion_or_to_nothing_is_refused(store: Store, to: int, message: str) -> None:
    for tag in "ab":
        publish(store, tag)
    with pytest.raises(StoreError, match=message):
        rollback(store, NAME, to)
    assert tags(store) == ["a", "b"]


def test_a_damaged_version_is_not_rolled_back_to_and_a_damaged_champion_is_not_in_the_way(store: Store) -> None:
    first, _, third = (publish(store, tag) for tag in "abc")
    (third.side / "manifest.json").write_text("{")
    assert tag_of(rollback(store, NAME)) == "b"
    spoil(first.served)
    with pytest.raises(DamagedError):
        rollback(store, NAME, to=1)


def test_a_challenger_that_is_promoted_by_hand_is_the_champion_and_no_challenger(store: Store) -> None:
    publish(store, "champion")
    for tag in "ab":
        keep(store, tag)
    published = promote(store, NAME, 1)
    assert (published.number, tag_of(published)) == (2, "a")
    assert published.manifest.gate["promotion"] == {
        "outcome": "promoted", "by": "hand", "challenger": 1, "champion": 1,
    }  # fmt: skip
    assert store.challengers.numbers(NAME) == [2]


def test_a_champion_that_came_meanwhile_is_not_overrun(store: Store) -> None:
    publish(store, "old")
    with store.stage(NAME) as staging:
        write(staging.folder, "compared with old")
        publish(store, "meanwhile")
        with pytest.raises(StoreError, match="another"):
            store.publish(staging, draft(), over=1)
    assert tags(store) == ["old", "meanwhile"]


def test_a_damaged_champion_goes_into_quarantine_and_its_number_to_nobody(store: Store) -> None:
    publish(store, "good")
    spoil(publish(store, "damaged").served)
    whole = whole_champion(store, NAME)
    assert whole is not None and tag_of(whole) == "good"
    assert store.versions(NAME) == [1]
    assert (store.root / ".quarantine" / NAME / "2" / "served" / "saved_model.pb").is_file()
    store.sweep()
    assert publish(store, "new").number == 3


def test_a_stray_file_is_no_damage(store: Store) -> None:
    (publish(store, "good").served / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="was added after publication"):
        whole_champion(store, NAME)
    assert store.versions(NAME) == [1]


PREPARED = ("a", "b"), ("x",)
"""Versions and challengers that are there before a job is killed."""


@pytest.mark.parametrize(
    ("job", "arguments", "champions"),
    [
        ("keep", {"tag": "y"}, ["b"]),
        ("roll_back", {}, ["b", "a"]),
        ("promote", {}, ["b", "x"]),
        ("quarantine", {"number": 2}, ["b", "a"]),
        ("prune_challengers", {"keep": 0}, ["b"]),
    ],
)
def test_killed_at_any_step_the_champion_is_the_old_one_or_the_new_one_whole(
    tmp_path: Path, ask: Ask, job: str, arguments: dict[str, object], champions: list[str]
) -> None:
    seen = [check(store) for store in killed_at_each_step(tmp_path, ask, job, **arguments)]
    assert list(dict.fromkeys(seen)) == champions, "each kill falls before or after one commit point"
    assert len(seen) > 5, "the kills must reach every step"


def killed_at_each_step(tmp_path: Path, ask: Ask, job: str, **arguments: object) -> Iterator[Store]:
    """The prepared store after a job was killed before its first step, its second, …, and at last was not."""
    template = tmp_path / "template"
    for tag in PREPARED[0]:
        publish(Store(template), tag)
    for tag in PREPARED[1]:
        keep(Store(template), tag)
    for kill_at in count(1):
        root = tmp_path / str(kill_at)
        shutil.copytree(template, root)
        outcome = ask(root=str(root), job=job, kill_at=kill_at, **arguments)
        yield Store(root)
        if outcome == 0:
            break
        assert outcome == KILLED


def test_a_promotion_that_was_killed_is_finished_by_the_same_command_and_publishes_once(
    tmp_path: Path, ask: Ask
) -> None:
    for store in killed_at_each_step(tmp_path, ask, "promote"):
        left = store.challengers.numbers(NAME)
        assert not left or tag_of(promote(store, NAME)) == "x"
        assert tags(store) == ["a", "b", "x"] and store.challengers.numbers(NAME) == []


def test_a_quarantine_that_was_killed_is_finished_and_loses_nothing(tmp_path: Path, ask: Ask) -> None:
    for store in killed_at_each_step(tmp_path, ask, "quarantine", number=2):
        store.sweep()
        store.quarantine(NAME, 2)
        side = store.root / ".quarantine" / NAME / "2" / "side"
        assert sorted(path.name for path in side.iterdir()) == ["manifest.json", "model.keras"]
        assert tags(store) == ["a"] and not (store.root / ".manifests" / NAME / "2").exists()


def check(store: Store) -> str:
    """Everything that is there is whole, before and after a sweep; returns the champion's tag."""
    champion = tag_of(store.read(NAME))
    for _ in range(2):
        assert tags(store)[-1] == champion
        for number in store.challengers.numbers(NAME):
            assert tag_of(store.challengers.read(NAME, number)) in ("x", "y")
        store.sweep()
    assert sorted(path.name for path in (store.root / ".staging").iterdir()) == [".lock"]
    assert tag_of(publish(store, "after")) == "after" and keep(store, "x").number >= 1
    return champion
