"""Whether the scheduler's memory stays flat: what its process holds after many retrainings that do nothing.

    python tests/benchmarks/scheduler_memory.py [--pipelines 20] [--retrainings 2000]

The real scheduler, with its files, jobs, threads and processes. The pipeline files are changed again and again, so that
each is read and its retraining started; what is started says that there is nothing to do.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import yaml

from forecaster.config import Project
from forecaster.lifecycle.schedule import Scheduler

ANSWER = json.dumps({"runs": [], "again": None})


def held() -> float:
    """MiB that this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pipelines", type=int, default=20)
    parser.add_argument("--retrainings", type=int, default=2000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "pipelines"
        folder.mkdir()
        started: list[str] = []
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # of files that changed while they were retrained

        def command(path: Path) -> list[str]:
            started.append(path.stem)
            return ["/bin/echo", ANSWER]

        scheduler = Scheduler(Project(Path(scratch)), [], command, workers=2, told=lambda text: None, look=0.02)
        thread = threading.Thread(target=scheduler.run)
        marks = [told.retrainings * share // 10 for share in (1, 2, 4, 6, 8, 10)]
        turn = 0
        while marks:
            turn += 1
            definition = {"data": {"path": "a.csv"}, "horizon": turn, "schedule": "@yearly"}
            for number in range(told.pipelines):
                (folder / f"p{number}.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")
            if turn == 1:
                thread.start()
            time.sleep(0.2)
            if len(started) >= marks[0]:
                print(f"{len(started):6} retrainings started, {held():.1f} MiB held", flush=True)
                marks.pop(0)
        scheduler.stop()
        thread.join()


if __name__ == "__main__":
    main()
