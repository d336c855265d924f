"""A real server on 127.0.0.1, in a thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import httpx

from forecaster.config import Project
from forecaster.serving.app import Server
from forecaster.serving.running import listen, uvicorn_server
from forecaster.serving.settings import Limits, Settings

__all__ = ["Live", "serving"]


class Live:
    """A running server: its port, its parts, what stops it, and a client."""

    def __init__(self, server, port, stop):
        self.server, self.port, self.stop = server, port, stop
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=30)

    def look(self):
        """Lets the server look at the store now."""
        self.server.watcher.look()


@contextmanager
def serving(project: Project, settings: Settings | None = None, **limits) -> Iterator[Live]:
    """Serves a project on a free port until the block ends."""
    settings = replace(settings or Settings(), port=0, poll=3600, limits=replace(Limits(), **limits))
    listener = listen(settings)
    parts = Server(project, settings)
    server = uvicorn_server(parts)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    live = Live(parts, listener.getsockname()[1], partial(setattr, server, "should_exit", True))
    try:
        while not (server.started and live.server.watcher.ready.is_set()):
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield live
    finally:
        live.client.close()
        live.stop()
        thread.join()
