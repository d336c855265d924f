"""Slow work in threads: forecasts so many at a time, so many waiting, and each for so long; and large bodies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from forecaster.serving.failures import Refused

__all__ = ["BoundedThreads", "apart"]

INLINE = 256 << 10
"""Bytes that are worked on at once; more are handed to a thread, so that others need not wait."""
T = TypeVar("T")
Given = ParamSpec("Given")


async def apart(size: int, function: Callable[Given, T], *given: Given.args, **named: Given.kwargs) -> T:
    """What a function returns; one that has many bytes to read or write is called in a thread."""
    if size <= INLINE:
        return function(*given, **named)
    return await asyncio.to_thread(function, *given, **named)


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
            Refused: 503 when too many are under way; 504 when it takes too long. If it runs, it runs on, and counts,
                until it ends.
        """
        if self._under_way >= self._most:
            raise Refused(503, f"{self._under_way} such requests are under way already; try again", retry_after=1)
        self._under_way += 1
        waiting = [function]
        future = asyncio.get_running_loop().run_in_executor(self._pool, lambda: waiting.pop()())
        future.add_done_callback(self._ended)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._deadline)
        except TimeoutError:
            waiting.clear()  # what has not begun never does, and what it would have worked on is let go of
            raise Refused(504, f"no answer within {self._deadline:g} s; send fewer series or rows") from None

    def _ended(self, future: asyncio.Future[T]) -> None:
        self._under_way -= 1
        if not future.cancelled():
            future.exception()  # of one that nobody waits for any more

    def stop(self) -> None:
        """Takes no more work and waits for what runs."""
        self._pool.shutdown(cancel_futures=True)
