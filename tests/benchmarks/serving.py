"""How a server stands up to load: throughput against the bare SavedModel, latency, overload, and 200 new versions.

Run in a project that has a published version, with nothing else on the machine:

    python tests/benchmarks/serving.py --project . --name energy_demand

Everything goes over 127.0.0.1; the server is `forecaster serve` in a process of its own, the clients in another.
Each figure is the median over interleaved rounds. A copy of the store is used; the project's own is not touched.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from forecaster.store import Store

WINDOWS = 32


def request(name: str, past: np.ndarray) -> bytes:
    body = json.dumps({"instances": np.round(past.astype(float), 2).tolist()}).encode()
    head = f"POST /v1/models/{name}:predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection:
    """Keep-alive HTTP with no more work than needed, so that the client is not what is measured."""

    async def open(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        return self

    async def ask(self, message):
        self.writer.write(message)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head).group(1))
        body = await self.reader.readexactly(length)
        return int(head[9:12]), body


async def closed_loop(port, message, clients, seconds, stop=None):
    """As many requests as `clients` get answered, each sending its next one at once, until a file `stop` appears."""
    latencies, statuses = [], Counter()
    until = time.perf_counter() + seconds

    async def work():
        connection = await Connection().open(port)
        while (start := time.perf_counter()) < until and not (stop and os.path.exists(stop)):  # noqa: PTH110 - fast
            status, _ = await connection.ask(message)
            latencies.append(time.perf_counter() - start)
            statuses[status] += 1
        connection.writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(clients)))
    return len(latencies) / (time.perf_counter() - start), latencies, statuses


async def open_loop(port, message, rate, seconds):
    """Requests at random times at a fixed mean rate, however long the answers take; latency from when each was due."""
    free = asyncio.Queue()
    for _ in range(64):
        free.put_nowait(await Connection().open(port))
    latencies, statuses = [], Counter()

    async def one(due):
        connection = await free.get()
        status, _ = await connection.ask(message)
        latencies.append(time.perf_counter() - due)
        statuses[status] += 1
        free.put_nowait(connection)

    generator = np.random.default_rng(0)
    due, tasks, end = time.perf_counter(), [], time.perf_counter() + seconds
    while due < end:
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        tasks.append(asyncio.create_task(one(due)))
        due += generator.exponential(1 / rate)
    await asyncio.gather(*tasks)
    return len(latencies) / seconds, latencies, statuses


def loaded(kind, *told):
    return asyncio.run({"closed": closed_loop, "open": open_loop}[kind](*told))


def direct(folder, past, seconds):
    """Calls a second, and a second of CPU, of the bare SavedModel in a loop."""
    import tensorflow as tf

    global _signature
    if "_signature" not in globals():
        _signature = tf.saved_model.load(folder).signatures["serving_default"]
        _signature(past=tf.constant(past))
    start, used, calls = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        np.asarray(_signature(past=tf.constant(past))["quantiles"])
        calls += 1
    return calls / (time.perf_counter() - start), calls / (time.process_time() - used)


def cpu_seconds(pid):
    """What a process has used so far."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(project, *options):
    command = [
        sys.executable,
        "-m",
        "forecaster",
        "--project",
        str(project),
        "serve",
        "--port",
        "0",
        "--quiet",
        *options,
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "300"})
    port = int(re.search(r"http://\S+:(\d+)", process.stderr.readline()).group(1))
    try:
        while get(port, "/readyz")[0] != 200:
            time.sleep(0.1)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def get(port, path):
    async def one():
        connection = await Connection().open(port)
        return await connection.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    return asyncio.run(one())


def memory(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def percentile(latencies, share):
    return 1000 * float(np.percentile(latencies, share))


def throughput(project, name, past, pools, seconds, rounds):
    bare, client = pools
    message, single = request(name, past), request(name, past[:1])
    folder = str(max((Store(project / "models/store").root / name).glob("[0-9]*"), key=lambda path: int(path.name)))
    bare.submit(direct, folder, past, 0.1).result()
    found = {clients: [] for clients in (1, 8, 64)}
    alone = []
    with served(project) as (pid, port):
        client.submit(loaded, "closed", port, message, 2, 1.0).result()
        for _ in range(rounds):
            alone.append(bare.submit(direct, folder, past, seconds).result())
            for clients, rows in found.items():
                used = cpu_seconds(pid)
                rate, latencies, statuses = client.submit(loaded, "closed", port, message, clients, seconds).result()
                thrift = len(latencies) / max(cpu_seconds(pid) - used, 0.01)
                small = client.submit(loaded, "closed", port, single, clients, seconds).result()
                rows.append((rate, thrift, latencies, statuses, small))
        most = statistics.median(row[0] for row in found[8])
        steady = [client.submit(loaded, "open", port, message, 0.7 * most, 4 * seconds).result() for _ in range(rounds)]
    rate, thrift = (statistics.median(one[place] for one in alone) for place in (0, 1))
    print(f"bare SavedModel, batches of {WINDOWS}: {rate:.0f} calls/s, {thrift:.0f} a CPU second")
    for clients, rows in found.items():
        ratios = [statistics.median(row[n] / one[n] for row, one in zip(rows, alone, strict=True)) for n in (0, 1)]
        latencies = np.concatenate([row[2] for row in rows])
        statuses = sum((row[3] for row in rows), Counter())
        small = np.concatenate([row[4][1] for row in rows])
        print(
            f"  {clients:2d} clients: {statistics.median(row[0] for row in rows):.0f} requests/s, {ratios[0]:.2f} of "
            f"the bare model ({ratios[1]:.2f} by CPU time); median {percentile(latencies, 50):.1f} ms, "
            f"p99 {percentile(latencies, 99):.1f} ms; {dict(statuses)}; one window a request: "
            f"{statistics.median(row[4][0] for row in rows):.0f}/s, median {percentile(small, 50):.1f} ms"
        )
    ratios = [percentile(one[1], 99) / percentile(one[1], 50) for one in steady]
    middle = sorted(steady, key=lambda one: percentile(one[1], 99) / percentile(one[1], 50))[len(steady) // 2][1]
    print(
        f"  at 70% of the throughput: median {percentile(middle, 50):.1f} ms, p99 {percentile(middle, 99):.1f} ms, "
        f"p99 / median {statistics.median(ratios):.1f} (rounds: {', '.join(f'{ratio:.1f}' for ratio in ratios)})"
    )


def overload(project, name, past, pools, seconds):
    message = request(name, past)
    with served(project, "--queue", "16") as (pid, port):
        client = pools[1]
        before = client.submit(loaded, "closed", port, message, 1, seconds).result()
        flood = client.submit(loaded, "closed", port, message, 200, 2 * seconds).result()
        after = client.submit(loaded, "closed", port, message, 1, seconds).result()
        print(f"overload, 200 clients and a queue of 16: {dict(flood[2])}, {memory(pid):.0f} MiB")
        print(f"  one client before: {before[0]:.0f}/s, after: {after[0]:.0f}/s {dict(after[2])}")


async def checked_loop(port, message, clients, stop, wanted):
    """Asks until a file `stop` appears; each answer's row must be wholly that of one and the same version."""
    statuses, by_version = Counter(), Counter()

    async def work():
        connection = await Connection().open(port)
        while not os.path.exists(stop):  # noqa: PTH110 - fast
            status, body = await connection.ask(message)
            statuses[status] += 1
            if status == 200:
                answer = np.array(json.loads(body)["predictions"])
                by_version[next((k for k, one in enumerate(wanted) if np.allclose(answer, one, 1e-4)), "mixed")] += 1
        connection.writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(clients)))
    return sum(statuses.values()) / (time.perf_counter() - start), statuses, by_version


def checked(*told):
    return asyncio.run(checked_loop(*told))


def varied(folder, other, past):
    """Saves a SavedModel with other weights at `other`; what the two forecast."""
    import tensorflow as tf

    model = tf.saved_model.load(str(folder))
    for variable in model.variables:
        if variable.dtype.is_floating:
            variable.assign(variable * 1.1)
    tf.saved_model.save(model, str(other), signatures=model.signatures)
    models = [tf.saved_model.load(str(one)).signatures["serving_default"] for one in (folder, other)]
    return [model(past=tf.constant(past))["quantiles"].numpy() for model in models]


def reload(project, name, past, pools, versions):
    """The champion and a copy with other weights are published in turn."""
    store = Store(project / "models/store")
    champion = store.read(name)
    sides, served_copies = project / "side", (project / "same", project / "other")
    shutil.copytree(champion.side, sides, ignore=shutil.ignore_patterns("manifest.json"))
    shutil.copytree(champion.served, served_copies[0])
    past = np.round(past[:4], 2)
    wanted = pools[0].submit(varied, *served_copies, past).result()
    apart = (~np.isclose(*wanted, 1e-3)).any(axis=(1, 2)).all()
    with served(project, "--poll", "0.1") as (pid, port):
        stop = project / "stop"
        running = pools[1].submit(checked, port, request(name, past), 4, str(stop), wanted)
        sizes = {}
        for turn in range(versions):
            with store.stage(name) as staging:
                shutil.copytree(served_copies[turn % 2], staging.served, dirs_exist_ok=True)
                shutil.copytree(sides, staging.side, dirs_exist_ok=True)
                number = store.publish(staging, champion.manifest).number
            while f'"{number}"' not in get(port, f"/v1/models/{name}")[1].decode():
                time.sleep(0.02)
            store.prune(name, 3)
            if turn % 40 == 39 or turn in (0, 9):
                sizes[turn + 1] = round(memory(pid))
        stop.touch()
        rate, statuses, by_version = running.result()
        print(f"{versions} new versions under load: {dict(statuses)} at {rate:.0f}/s; memory by version {sizes} MiB")
        print(f"  answers that are wholly one version's: {dict(by_version)}; all windows tell them apart: {apart}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--name", required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--versions", type=int, default=200)
    parser.add_argument("--only", choices=["throughput", "overload", "reload"])
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as bare:
        shutil.copytree(told.project / "models/store", Path(folder, "models/store"))
        manifest = Store(Path(folder, "models/store")).manifest(told.name)
        generator = np.random.default_rng(0)
        past = generator.normal(1000, 100, (WINDOWS, manifest.lookback, len(manifest.inputs["past"]))).astype("float32")
        with ProcessPoolExecutor(1, get_context("spawn")) as client:
            project, pools = Path(folder), (bare, client)
            if told.only in (None, "throughput"):
                throughput(project, told.name, past, pools, told.seconds, told.rounds)
            if told.only in (None, "overload"):
                overload(project, told.name, past, pools, told.seconds)
            if told.only in (None, "reload"):
                reload(project, told.name, past, pools, told.versions)


if __name__ == "__main__":
    main()
