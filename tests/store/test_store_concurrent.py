import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from fake_publisher import NAME, publish, tag_of
from publisher_process import publisher, send

from forecaster.store import Store


def test_threads_that_publish_at_once_get_a_number_each(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        published = list(threads.map(lambda index: publish(store, f"t{index}"), range(16)))
    assert sorted(version.number for version in published) == list(range(1, 17))
    for version in published:
        assert tag_of(store.read(NAME, version.number)) == version.manifest.data["tag"]
    assert store.sweep() == []


def test_processes_publish_and_prune_while_a_reader_always_finds_a_whole_champion(store: Store) -> None:
    with ExitStack() as started:
        processes = [started.enter_context(publisher()) for _ in range(3)]
        for index, process in enumerate(processes):
            send(process, root=str(store.root), job="publish_many", tag=f"p{index}", count=8)
        seen = [0]
        deadline = time.monotonic() + 60
        while seen[-1] < 24 and time.monotonic() < deadline:
            store.prune(NAME, keep=1)
            store.sweep()
            if store.champion(NAME):
                version = store.read(NAME)
                seen.append(version.number)
        assert seen == sorted(seen)
        assert seen[-1] == 24
    store.prune(NAME, keep=1)
    assert store.versions(NAME) == [24]
