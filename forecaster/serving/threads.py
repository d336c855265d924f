"""Slow work in threads, bounded: so many at a time, so many waiting, and each for so long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from forecaster.serving.failures import Refused

__all__ = ["BoundedThreads"]

T = TypeVar("T")


class BoundedThreads:
    """Runs functions beside the event loop.

    Args:
        threads: At a time.
        waiting: Further ones that may wait.
        deadline: Seconds for waiting and running.
    """

    def __init__(self, threads: int, waiting: int, deadline: float) -> None:
        self._pool = ThreadPoolExecutor(threads, "slow")
        self._most, self._deadline = threads + waiting, deadline
        self._under_way = 0

    async def run(self, function: Callable[[], T]) -> T:
        """What the function returns.

        Raises:
            Refused: 503 when too many are under way; 504 when it takes too long. It runs on, and counts, until it ends.
        """
        if self._under_way >= self._most:
            raise Refused(503, f"{self._under_way} such requests are under way already; try again", retry_after=1)
        self._under_way += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, function)
        future.add_done_callback(self._ended)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._deadline)
        except TimeoutError:
            raise Refused(504, f"no answer within {self._deadline:g} s; send fewer series or rows") from None

    def _ended(self, future: asyncio.Future[T]) -> None:
        self._under_way -= 1
        if not future.cancelled():
            future.exception()  # of one that nobody waits for any more

    def stop(self) -> None:
        """Takes no more work and waits for what runs."""
        self._pool.shutdown(cancel_futures=True)
