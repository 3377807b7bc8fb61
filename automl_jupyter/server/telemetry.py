"""What is measured: requests, jobs, predictions; as JSON for people and as text for Prometheus.

The registry is our own. Jupyter's ``/metrics`` serves the global one to everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from automl_jupyter.backends.records import JobRecord

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TRAINING_BUCKETS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
STATES = ("queued", "running", "done", "failed", "stopped", "cancelled", "interrupted")


class Telemetry:
    """Counters of one server, from its start."""

    def __init__(self) -> None:
        self.since = datetime.now(UTC)
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "automl_http_request_duration_seconds",
            "Time from a request's arrival to its answer.",
            ["method", "route", "owner"],
            registry=self.registry,
            buckets=REQUEST_BUCKETS,
        )
        self._errors = Counter(
            "automl_http_errors_total",
            "Requests answered with a status of 400 or above.",
            ["method", "route", "status", "owner"],
            registry=self.registry,
        )
        self._jobs = Gauge(
            "automl_jobs", "Jobs in the database, by state.", ["state"], registry=self.registry
        )
        self._training = Histogram(
            "automl_training_duration_seconds",
            "Time that a job ran, by how it ended.",
            ["state", "owner"],
            registry=self.registry,
            buckets=TRAINING_BUCKETS,
        )
        self._predictions = Histogram(
            "automl_prediction_duration_seconds",
            "Time to answer one request for predictions.",
            ["owner", "model"],
            registry=self.registry,
            buckets=REQUEST_BUCKETS,
        )
        self._rows = Counter(
            "automl_predicted_rows_total", "Rows predicted.", ["owner", "model"], registry=self.registry
        )

    def requested(self, method: str, route: str, status: int, owner: str, seconds: float) -> None:
        """Note an answered request."""
        self._requests.labels(method, route, owner).observe(seconds)
        if status >= 400:
            self._errors.labels(method, route, str(status), owner).inc()

    def job_finished(self, job: JobRecord) -> None:
        """Note the end of a job."""
        if job.started is not None and job.ended is not None:
            seconds = (job.ended - job.started).total_seconds()
            self._training.labels(job.state, job.owner).observe(seconds)

    def predicted(self, owner: str, model: str, rows: int, seconds: float) -> None:
        """Note answered rows."""
        self._predictions.labels(owner, model).observe(seconds)
        self._rows.labels(owner, model).inc(rows)

    def exposition(self, jobs: Mapping[str, int]) -> bytes:
        """Everything in Prometheus' text format, version 0.0.4; ``jobs`` counts them by state."""
        for state in STATES:
            self._jobs.labels(state).set(jobs.get(state, 0))
        return generate_latest(self.registry)

    def requests_of(self, owner: str) -> Iterator[tuple[str, str, int, int, float]]:
        """Route, method, requests, errors and total seconds of one owner's requests."""
        errors = self._sums(self._errors, "_total", owner)
        seconds = self._sums(self._requests, "_sum", owner)
        for (route, method), count in sorted(self._sums(self._requests, "_count", owner).items()):
            key = (route, method)
            yield route, method, int(count), int(errors.get(key, 0)), seconds[key]

    def predictions_of(self, owner: str) -> Iterator[tuple[str, int, int, float]]:
        """Model, requests, rows and total seconds of predictions by one owner's models."""
        rows = self._by_model(self._rows, "_total", owner)
        seconds = self._by_model(self._predictions, "_sum", owner)
        for model, count in sorted(self._by_model(self._predictions, "_count", owner).items()):
            yield model, int(count), int(rows.get(model, 0)), seconds[model]

    def training_seconds_of(self, owner: str) -> float:
        """Seconds that one owner's jobs ran."""
        samples = (sample for metric in self._training.collect() for sample in metric.samples)
        return sum(s.value for s in samples if s.name.endswith("_sum") and s.labels["owner"] == owner)

    @staticmethod
    def _sums(metric: Counter | Histogram, ending: str, owner: str) -> dict[tuple[str, str], float]:
        found: dict[tuple[str, str], float] = {}
        for family in metric.collect():
            for sample in family.samples:
                if sample.name.endswith(ending) and sample.labels["owner"] == owner:
                    key = (sample.labels["route"], sample.labels["method"])
                    found[key] = found.get(key, 0.0) + sample.value
        return found

    @staticmethod
    def _by_model(metric: Counter | Histogram, ending: str, owner: str) -> dict[str, float]:
        return {
            sample.labels["model"]: sample.value
            for family in metric.collect()
            for sample in family.samples
            if sample.name.endswith(ending) and sample.labels["owner"] == owner
        }
