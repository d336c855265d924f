"""Law 6: nothing is handed out that is not, byte for byte, what was published."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_publisher import NAME, publish, tag_of

from forecaster.errors import StoreError
from forecaster.store import Store, Version

PLACES = ["served/saved_model.pb", "served/variables/variables.data", "side/model.keras"]


def place_of(version: Version, place: str) -> Path:
    prefix, _, rest = place.partition("/")
    return (version.served if prefix == "served" else version.side) / rest


def refused(store: Store, path: Path, message: str) -> str:
    with pytest.raises(StoreError, match=message) as error:
        store.read(NAME)
    assert str(path) in str(error.value), "the file must be named"
    return str(error.value)


@pytest.mark.parametrize("place", PLACES)
def test_one_altered_byte_is_found(store: Store, place: str) -> None:
    path = place_of(publish(store, "x"), place)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    message = refused(store, path, "altered or damaged")
    assert "forecaster models rollback energy" in message


@pytest.mark.parametrize("place", PLACES)
def test_a_missing_file_is_found(store: Store, place: str) -> None:
    path = place_of(publish(store, "x"), place)
    path.unlink()
    refused(store, path, "is missing")


@pytest.mark.parametrize("place", ["served/extra", "served/assets/vocabulary.txt", "side/.hidden"])
def test_a_superfluous_file_is_found(store: Store, place: str) -> None:
    path = place_of(publish(store, "x"), place)
    path.write_bytes(b"")
    refused(store, path, r"added after publication.*Remove the file")


@pytest.mark.parametrize("place", PLACES)
def test_a_link_in_a_files_place_is_refused_though_its_content_be_the_same(
    store: Store, tmp_path: Path, place: str
) -> None:
    path = place_of(publish(store, "x"), place)
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    refused(store, path, "symbolic link")


@pytest.mark.parametrize("which", ["served/variables", "side"])
def test_a_link_in_a_folders_place_is_refused(store: Store, tmp_path: Path, which: str) -> None:
    path = place_of(publish(store, "x"), which)
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved", target_is_directory=True)
    refused(store, path, "symbolic link")


def test_a_damaged_champion_leaves_the_older_version_readable(store: Store) -> None:
    publish(store, "old")
    (publish(store, "new").served / "saved_model.pb").write_bytes(b"graph mew")
    with pytest.raises(StoreError):
        store.read(NAME)
    assert tag_of(store.read(NAME, 1)) == "old"


@pytest.mark.parametrize("part", [0, 1, 0.5, -3])
def test_a_truncated_manifest_is_said_to_be_damaged(store: Store, part: float) -> None:
    path = publish(store, "x").side / "manifest.json"
    text = path.read_text()
    path.write_text(text[: int(len(text) * part) if part == 0.5 else int(part)])
    refused(store, path, "damaged, it is not JSON")
    with pytest.raises(StoreError, match="damaged"):
        store.manifest(NAME)


@pytest.mark.parametrize("content", [b"[]", b"{}", b"null", b"\xff\xfe\x00", b"[" * 100_000, b'"x"'])
def test_a_manifest_of_another_kind_is_said_to_be_damaged(store: Store, content: bytes) -> None:
    path = publish(store, "x").side / "manifest.json"
    path.write_bytes(content)
    refused(store, path, "damaged")


def test_a_missing_manifest_is_named(store: Store) -> None:
    path = publish(store, "x").side / "manifest.json"
    path.unlink()
    refused(store, path, "manifest.json is missing")


def edit(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


@pytest.mark.parametrize("number", [0, 3, "1", None, 1.5])
def test_an_unknown_format_says_to_upgrade(store: Store, number: object) -> None:
    path = publish(store, "x").side / "manifest.json"
    edit(path, lambda fields: fields.update(format_version=number, something_new=1))
    refused(store, path, rf"is of format {number!r}; this program reads formats 1 to 2. Upgrade forecaster")


def test_a_manifest_without_a_field_or_with_one_more_names_it(store: Store) -> None:
    path = publish(store, "x").side / "manifest.json"
    edit(path, lambda fields: fields.pop("horizon"))
    refused(store, path, "damaged: horizon: Field required")
    edit(path, lambda fields: fields.update(horizon=48, horizons=1))
    refused(store, path, "damaged: horizons: Extra inputs")


def test_a_manifest_cannot_point_outside_its_version(store: Store, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    path = publish(store, "x").side / "manifest.json"
    edit(path, lambda fields: fields.update(files={"served/../../../secret": "0" * 64}))
    with pytest.raises(StoreError, match=r"is missing|added after publication"):
        store.read(NAME)


def test_a_version_copied_by_hand_is_not_taken_for_another(store: Store) -> None:
    version = publish(store, "x")
    shutil.copytree(version.served, version.served.parent / "2")
    shutil.copytree(version.side, version.side.parent / "2")
    refused(store, version.side.parent / "2" / "manifest.json", "manifest of version 1 of energy")
    (store.root / "other").mkdir()
    shutil.copytree(version.served, store.root / "other" / "1")
    with pytest.raises(StoreError, match=r"manifest.json is missing"):
        store.read("other")


def test_a_version_that_is_not_there_is_answered_with_those_that_are(store: Store) -> None:
    with pytest.raises(StoreError, match=r"holds no version of energy. Publish one \(forecaster run\)"):
        store.read(NAME)
    publish(store, "x")
    publish(store, "y")
    for version in (3, 0, -1):
        with pytest.raises(StoreError, match=f"no version {version} of energy. Choose one of: 1, 2."):
            store.read(NAME, version)


def test_a_manifest_is_listed_without_a_look_at_the_files(store: Store) -> None:
    version = publish(store, "x")
    shutil.rmtree(version.served / "variables")
    assert store.manifest(NAME) == version.manifest
    assert store.manifest(NAME, 1).version == 1


def test_reading_writes_nothing(store: Store) -> None:
    publish(store, "x")
    shutil.rmtree(store.root / ".staging")
    store.read(NAME)
    store.names()
    assert not (store.root / ".staging").exists()


def test_a_file_that_cannot_be_read_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = publish(store, "x").served / "saved_model.pb"
    real = Path.open

    def refuse(self: Path, mode: str = "r") -> object:
        if self == path:
            raise PermissionError(13, os.strerror(13), str(self))
        return real(self, mode)

    monkeypatch.setattr(Path, "open", refuse)
    refused(store, path, "Cannot read version 1 of energy: .*Permission denied. Give this user the right")


def test_a_champion_that_is_pruned_while_it_is_read_gives_way_to_the_new_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(store, "old")
    real = Path.open

    def replaced(self: Path, mode: str = "r") -> object:
        if self == first.served / "saved_model.pb" and self.exists():
            publish(store, "new")
            store.prune(NAME, keep=1)
        return real(self, mode)

    monkeypatch.setattr(Path, "open", replaced)
    assert tag_of(store.read(NAME)) == "new"
    with pytest.raises(StoreError, match=r"no version 1 of energy. Choose one of: 2"):
        store.read(NAME, 1)
