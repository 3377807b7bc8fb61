"""What is measured: as JSON for the caller, as text that Prometheus accepts."""

from __future__ import annotations

import shutil
import subprocess

import pytest

pytestmark = pytest.mark.slow


def exposition(server) -> str:
    with server.client("root-token") as root:
        answer = root.get("/automl/api/monitoring/metrics/")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


def test_prometheus_accepts_the_text(server, world):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool, of Debian's package prometheus, is not installed")
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=exposition(server),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_measurement_has_our_prefix(server, world):
    names = {line.split()[2] for line in exposition(server).splitlines() if line.startswith("# TYPE")}
    assert names
    assert all(name.startswith("automl_") for name in names)


def test_jupyters_own_metrics_hold_nothing_of_ours(server, world):
    with server.client("root-token") as root:
        answer = root.get("/metrics")
    assert "automl_prediction" not in answer.text
    assert "automl_http" not in answer.text


def test_the_caller_sees_their_own(alice, bob, world):
    row = {"rows": [{"age": 70, "city": "Paris", "since": "2024-05-01"}]}
    before = alice.get("/automl/api/monitoring/").json()
    alice.post("/automl/api/predict/customers/", json=row)
    alice.post("/automl/api/predict/none/", json=row)
    after = alice.get("/automl/api/monitoring/").json()
    assert after["jobs"]["done"] >= 1
    assert after["datasets"] >= 1
    assert after["training_seconds"] > 0

    def of(body, key, name):
        return next((item for item in body[key] if item.get("model", item.get("route")) == name), None)

    rows = [(of(b, "predictions", "customers") or {"rows": 0})["rows"] for b in (before, after)]
    assert rows[1] - rows[0] == 1
    route = "/api/predict/{name}/"
    errors = [(of(b, "requests", route) or {"errors": 0})["errors"] for b in (before, after)]
    assert errors[1] - errors[0] == 1
    assert bob.get("/automl/api/monitoring/").json()["predictions"] == []
