"""What a worker writes for itself is gone when its work is over, also where it is killed in the middle of it."""

import multiprocessing
import tempfile
from pathlib import Path

import pytest

from forecaster.config import PipelineDefinition
from forecaster.lifecycle.parcel import Order, opened, pack_order
from tests.store.fake_publisher import publish

NAME = "sales"


def open_and_hang(order: bytes, told) -> None:
    """Says where it works, and works until it is killed."""
    with opened(order) as errand:
        told.send(str(errand.folder))
        told.recv()


@pytest.fixture
def order(world) -> bytes:
    publish(world.store, "v1", NAME)
    definition = PipelineDefinition(name=NAME, data={"path": "sales.csv"}, horizon=2)
    packed, number = pack_order(Order(definition, world.project, world.folder))
    assert number == 1
    return packed


def test_what_a_killed_worker_had_of_the_champion_goes_with_the_next_sweep(world, order, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=open_and_hang, args=(order, theirs))
    worker.start()
    folder = Path(ours.recv())
    assert (folder / "store" / NAME / "1").is_dir() and world.store.sweep() == [], "it is at work"
    worker.kill()
    worker.join()
    assert folder.is_dir()
    world.store.sweep()
    assert not folder.exists() and list(tmp_path.iterdir()) == []
    assert world.store.versions(NAME) == [1]


def test_it_is_removed_at_the_end_and_checkpoints_are_not(world, order):
    with opened(order) as errand:
        (errand.project.store / ".checkpoints" / "x.npz").touch()
        assert world.store.root in errand.folder.parents
    assert not errand.folder.exists() and (world.store.root / ".checkpoints" / "x.npz").exists()


def test_where_the_store_cannot_be_written_the_work_is_done_in_the_temporary_folder(world, order, monkeypatch):
    def full(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("forecaster.store.staging.make_folder", full)
    with opened(order) as errand:
        assert errand.folder.parent == Path(tempfile.gettempdir())
        assert (errand.folder / "store" / NAME / "1").is_dir()
    assert not errand.folder.exists()
