"""Work beside the event loop: what is given up before it began is not done, and not kept."""

import asyncio
import gc
import threading
import weakref

import pytest

from forecaster.serving.failures import Refused
from forecaster.serving.threads import BoundedThreads


class Body:
    """Something large that a piece of work holds."""


def test_what_has_waited_too_long_is_let_go_of():
    threads, may_end, done = BoundedThreads(threads=1, waiting=4, deadline=0.1), threading.Event(), []

    async def held():
        body = Body()
        with pytest.raises(Refused, match="no answer within"):
            await threads.run(lambda: done.append(body))
        return weakref.ref(body)

    async def both():
        first = asyncio.ensure_future(threads.run(lambda: may_end.wait(20)))
        await asyncio.sleep(0)  # now it has the one thread
        kept = await held()
        gc.collect()
        gone = kept() is None
        may_end.set()
        with pytest.raises(Refused, match="no answer within"):
            await first
        return gone, await threads.run(lambda: "next")

    assert asyncio.run(both()) == (True, "next")
    threads.stop()
    assert done == []
