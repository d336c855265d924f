"""What Prometheus reads at `/metrics`."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from forecaster.serving.models import Models

__all__ = ["REMEMBERED", "Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
REMEMBERED = 20_000
"""Steps of a model's forecasts that are remembered until what came arrives."""


class Metrics:
    """One server's counters; label values come from the server, never as they stand in a request.

    Args:
        models: What is served.
    """

    kind = CONTENT_TYPE_LATEST

    def __init__(self, models: Models) -> None:
        self._models = models
        self._registry = CollectorRegistry()
        told: dict[str, Any] = {"registry": self._registry, "namespace": "forecaster"}
        self.requests = Counter("requests", "Requests answered.", ["route", "model", "status"], **told)
        self.seconds = Histogram("request_seconds", "Time to the answer.", ["route"], buckets=SECONDS, **told)
        self.rows = Histogram("call_rows", "Windows in one call of a model.", buckets=ROWS, **told)
        self.joined = Histogram("call_requests", "Requests in one call of a model.", buckets=ROWS, **told)
        self.waiting = Gauge("queue_requests", "Requests that wait for a model.", **told)
        self.under_way = Gauge("requests_under_way", "Requests that are being answered.", **told)
        self.loaded = Gauge("version_loaded", "1 for a version in memory.", ["model", "version", "label"], **told)
        self.failures = Counter("version_failures", "Versions that could not be loaded.", ["model"], **told)
        self.failed = Gauge("versions_failed", "Versions that are not served because of a fault.", ["model"], **told)
        self.sessions = Gauge("stream_sessions", "Streaming sessions that are kept.", **told)
        judged = f"Forecast steps whose truth has arrived; of over {REMEMBERED:,}, a sample of the series."
        self.judged = Counter("forecast_steps_judged", judged, ["model"], **told)
        self.error = Counter("forecast_absolute_error", "Sum of their absolute errors.", ["model"], **told)
        self.naive = Counter("forecast_naive_absolute_error", "The same of the last value.", ["model"], **told)
        self.covered = Counter("forecast_covered", "Steps inside the interval.", ["model", "level"], **told)

    def observe_call(self, rows: int, requests: int) -> None:
        """Counts one call of a model."""
        self.rows.observe(rows)
        self.joined.observe(requests)

    def versions_changed(self, name: str) -> None:
        """Brings the gauges of versions up to date."""
        self.loaded.clear()
        for model in self._models.names():
            labels = {number: label for label, number in self._models.labels(model).items()}
            for number in self._models.loaded(model):
                self.loaded.labels(model, str(number), labels.get(number, "")).set(1)
        self.failed.labels(name).set(len(self._models.failures(name)))

    def version_failed(self, name: str) -> None:
        """Counts a version that could not be loaded."""
        self.failures.labels(name).inc()

    def text(self) -> bytes:
        """All of them in Prometheus' text form."""
        return generate_latest(self._registry)

    def turned_out(self, model: str) -> dict[str, float]:
        """How a model's served forecasts turned out since the server began: `steps`, and mean absolute errors.

        Returns:
            `steps`, `error`, `naive` (of the last value seen); empty before any truth has arrived.
        """
        names = ("forecast_steps_judged", "forecast_absolute_error", "forecast_naive_absolute_error")
        steps, error, naive = (
            self._registry.get_sample_value(f"forecaster_{name}_total", {"model": model}) or 0.0 for name in names
        )
        return {"steps": steps, "error": error / steps, "naive": naive / steps} if steps else {}
