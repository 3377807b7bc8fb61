"""The client against a real server: every method, and what it says when the server says no."""

from __future__ import annotations

import csv
import pickle
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from automl_jupyter.client import Client, Server, TookTooLong
from automl_jupyter.errors import (
    AutoMLError,
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    Unavailable,
    Unprocessable,
)
from automl_jupyter.schemas import FINAL_STATES, Dataset, Event, Job

Train = Callable[..., Job]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset(client: Client, table: bytes) -> Dataset:
    return client.upload(table, name="shapes.csv")


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def job(train: Train, dataset: Dataset, events: list[Event]) -> Job:
    return train(dataset, "shapes", events.append)


@pytest.fixture(scope="module")
def running(client: Client, dataset: Dataset) -> Iterator[Job]:
    started = client.train(dataset, "y", time_budget=300, name="endless")
    yield started
    with suppress(Conflict):
        client.cancel(started)
    client.wait(started, timeout=30)


# --- finding the server


def test_the_running_server_and_its_token_are_found(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder / ".runtime"))
    with Client() as found:
        assert found.url == server.url
        assert found.user().permissions["automl"]


def test_importing_the_client_brings_nothing_heavy() -> None:
    script = (
        "import sys, automl_jupyter.client;"
        "print([m for m in ('pandas', 'numpy', 'httpx', 'pydantic', 'jupyter_server') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


# --- data sets


def test_a_table_is_taken_in_from_a_path_bytes_and_a_data_frame(
    client: Client, table: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "my table.csv"
    file.write_bytes(table)
    frame = pd.read_csv(file)
    for source, name in (
        (file, "my table"),
        (str(file), "my table"),
        (table, "table"),
        (frame, "table"),
    ):
        taken = client.upload(source)
        assert (taken.name, taken.rows) == (name, 400)
        assert [column.name for column in taken.columns] == ["x", "colour", "y"]


def test_a_table_that_jupyter_already_has_is_taken_in_by_its_path(
    client: Client, table: bytes, folder: Path
) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "here.csv").write_bytes(table)
    assert client.upload_path("data/here.csv").name == "here"
    with pytest.raises(NotFound):
        client.upload_path("data/elsewhere.csv")


def test_data_sets_are_listed_looked_at_and_deleted(client: Client, table: bytes) -> None:
    taken = client.upload(table, name="soon gone.csv")
    page = client.datasets(limit=1)
    assert page.items == [taken]
    assert page.total >= 1
    assert client.dataset(taken.id) == taken
    assert client.preview(taken.id).columns == ["x", "colour", "y"]
    assert client.profile(taken.id).rows == 400
    client.delete_dataset(taken.id)
    with pytest.raises(NotFound):
        client.dataset(taken.id)


# --- training


def test_a_file_is_read_again_as_a_person_decides(client: Client) -> None:
    first = client.upload(b"zip;price\n1000;1,5\n2000;2,25\n", name="prices.csv")
    again = client.reread(first, column_types={"zip": "string"}, columns={"price": {"decimal": ","}})
    assert again.parent == first.id
    assert [column.type for column in again.columns] == ["string", "number"]
    back = client.reread(again.id, column_types={"zip": None})
    assert back.dialect["overrides"] == {"columns": {"price": {"decimal": ","}}}
    with pytest.raises(Unprocessable) as caught:
        client.reread(first, encoding="klingon")
    assert [error.field for error in caught.value.errors] == ["encoding"]


def test_a_job_is_followed_from_its_first_event_to_its_last(events: list[Event], job: Job) -> None:
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert events[-1].kind == "done"
    assert {"state", "trial"} <= {event.kind for event in events}
    assert job.model is not None
    assert any(trial.baseline for trial in job.leaderboard)


def test_events_can_be_asked_for_from_where_one_left_off(
    client: Client, events: list[Event], job: Job
) -> None:
    assert list(client.events(job, after=3)) == events[3:]


def test_waiting_has_a_limit_that_leaves_the_job_alone(client: Client, running: Job) -> None:
    with pytest.raises(TookTooLong, match=running.id) as caught:
        client.wait(running, timeout=0.5)
    assert isinstance(caught.value, TimeoutError)
    with pytest.raises(TimeoutError):
        client.wait(running, timeout=0.5, on_event=lambda _event: None)
    assert client.job(running.id).state not in FINAL_STATES


def test_a_stopped_job_keeps_the_best_so_far(job: Job) -> None:
    assert job.state == "stopped"
    assert job.model is not None


def test_a_cancelled_job_keeps_nothing(client: Client, dataset: Dataset) -> None:
    started = client.train(dataset, "y", time_budget=300, name="cancelled")
    client.cancel(started)
    ended = client.wait(started, timeout=60, on_event=lambda _event: None)
    assert (ended.state, ended.model) == ("cancelled", None)
    with pytest.raises(Conflict):
        client.stop(started)


def test_jobs_are_listed(client: Client, job: Job) -> None:
    assert job.id in [item.id for item in client.jobs().items]


# --- models and predictions


def test_models_are_put_into_service_and_taken_back(
    client: Client, train: Train, dataset: Dataset, job: Job
) -> None:
    assert job.model is not None
    again = train(dataset, "shapes")
    assert again.model is not None
    assert [version.version for version in client.model("shapes").versions][:2] == [
        again.model.version,
        job.model.version,
    ]
    assert client.promote("shapes", again.model.version).champion == again.model.version
    assert client.promote("shapes", job.model.version).champion == job.model.version
    assert client.rollback("shapes").champion == again.model.version
    assert "shapes" in [model.name for model in client.models().items]


@pytest.mark.parametrize("reference", ["{name}:{version}", "{name}@champion", "{name}"])
def test_rows_are_predicted_by_each_way_to_name_a_model(client: Client, job: Job, reference: str) -> None:
    assert job.model is not None
    client.promote("shapes", job.model.version)
    rows = [{"x": 0.95, "colour": "red"}, {"x": 0.05, "colour": None}]
    answer = client.predict(reference.format(name="shapes", version=job.model.version), rows)
    assert (answer.model, answer.version) == ("shapes", job.model.version)
    assert [prediction.value for prediction in answer.predictions] == ["yes", "no"]
    likely = answer.predictions[0].probabilities
    assert likely is not None
    assert likely["yes"] > 0.5


def test_a_data_frame_is_predicted_like_its_rows(client: Client, job: Job) -> None:
    assert job.model is not None
    frame = pd.DataFrame({"x": [0.95, 0.05], "colour": ["red", None]}, index=[7, 7])
    answer = client.predict(job.model, frame)
    assert [prediction.value for prediction in answer.predictions] == ["yes", "no"]


def test_a_version_that_is_not_there_is_told_with_those_that_are(client: Client, job: Job) -> None:
    with pytest.raises(NotFound, match=r"Its versions are: .*1"):
        client.predict("shapes:99", [{"x": 0.5, "colour": "red"}])
    assert job.model is not None


def test_a_file_is_predicted_into_a_file(client: Client, job: Job, table: bytes, tmp_path: Path) -> None:
    assert job.model is not None
    source, target = tmp_path / "rows.csv", tmp_path / "predictions.csv"
    source.write_bytes(table)
    client.predict_csv(job.model, source, target)
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 400
    assert {row["prediction"] for row in rows} == {"yes", "no"}
    assert 0 <= float(rows[0]["probability_yes"]) <= 1
    assert list(tmp_path.iterdir()) == [source, target] or set(tmp_path.iterdir()) == {source, target}


def test_a_few_candidates_are_tried_and_the_quick_model_answers(
    client: Client, dataset: Dataset, tmp_path: Path
) -> None:
    job = client.train(dataset, "y", time_budget=100, name="few", max_trials=4, max_predict_ms=1e-6)
    assert job.options == {"max_trials": 4, "max_predict_ms": 1e-6}
    job = client.wait(job, timeout=120)
    assert job.state == "done", job.error
    source, target = tmp_path / "rows.csv", tmp_path / "predictions.csv"
    source.write_text("x,colour\n0.3,red\n0.7,blue\n")
    rows = pd.read_csv(source)
    shares = {}
    for limit, model in ((None, "fast"), (1e6, "ensemble")):
        answer = client.predict("few", rows, max_predict_ms=limit)
        assert answer.answered_by == model
        shares[model] = [one.probabilities["yes"] for one in answer.predictions if one.probabilities]
        client.predict_csv("few", source, target, max_predict_ms=limit)
        with target.open(newline="") as file:
            written = [float(row["probability_yes"]) for row in csv.DictReader(file)]
        assert written == pytest.approx(shares[model], abs=1e-6)
    assert shares["fast"] != shares["ensemble"]


def test_a_prediction_that_fails_leaves_the_file_as_it_was(client: Client, tmp_path: Path) -> None:
    source, target = tmp_path / "rows.csv", tmp_path / "predictions.csv"
    source.write_text("x\n1\n")
    target.write_text("before")
    with pytest.raises(NotFound):
        client.predict_csv("nothing-of-the-kind", source, target)
    assert target.read_text() == "before"
    assert set(tmp_path.iterdir()) == {source, target}


def test_monitoring_counts_what_was_done(client: Client, job: Job) -> None:
    summary = client.monitoring()
    assert summary.datasets >= 1
    assert summary.jobs.get(job.state, 0) >= 1


def test_a_model_is_deleted(client: Client, train: Train, dataset: Dataset) -> None:
    train(dataset, "short-lived")
    client.delete_model("short-lived")
    with pytest.raises(NotFound):
        client.model("short-lived")


# --- when the server says no


def test_an_unknown_target_is_told_with_the_nearest_columns(client: Client, dataset: Dataset) -> None:
    with pytest.raises(Unprocessable, match="colour") as caught:
        client.train(dataset, "color")
    assert caught.value.status == 422
    assert caught.value.code
    assert caught.value.params["target"] == "color"


def test_the_sentence_is_in_the_language_that_was_asked_for(server: Server, dataset: Dataset) -> None:
    told = []
    for language in ("en", "fr"):
        with Client(server.url, server.token, language=language) as asking, pytest.raises(NotFound) as caught:
            asking.job("nothing-of-the-kind")
        told.append(str(caught.value))
    assert told[0] != told[1]


def test_an_error_survives_a_process_boundary(client: Client) -> None:
    with pytest.raises(NotFound) as caught:
        client.dataset("nothing-of-the-kind")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(copy, NotFound)
    assert (str(copy), copy.code, copy.params) == (str(caught.value), caught.value.code, caught.value.params)


def test_a_data_set_with_models_is_not_deleted_by_accident(
    client: Client, dataset: Dataset, job: Job
) -> None:
    with pytest.raises(Conflict):
        client.delete_dataset(dataset.id)
    assert client.dataset(job.dataset_id) == dataset


@pytest.mark.parametrize("token", ["wrong", None])
def test_who_is_not_let_in_is_told_about_the_token(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    with Client(server.url, token) as stranger, pytest.raises(Forbidden, match="token"):
        stranger.user()


def test_a_server_that_is_gone_is_told_with_its_address() -> None:
    with Client("http://127.0.0.1:9/", "x", language="fr") as lonely, pytest.raises(Unavailable) as caught:
        lonely.user()
    assert caught.value.code == "client.unreachable"
    assert "http://127.0.0.1:9/" in str(caught.value)
    assert "injoignable" in str(caught.value)


@pytest.fixture(scope="module")
def plain_server(environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Jupyter server without the extension, on a Unix socket."""
    folder = tmp_path_factory.mktemp("plain")
    socket = folder / "jupyter.sock"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyter_server", f"--ServerApp.sock={socket}",
                "--ServerApp.jpserver_extensions={'automl_jupyter': False}",
                "--ServerApp.allow_root=True", f"--ServerApp.root_dir={folder}",
            ],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    until = time.monotonic() + 60
    while not socket.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    yield folder
    process.terminate()
    process.wait(20)


def test_a_server_without_the_extension_is_told_how_to_get_it(
    plain_server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plain_server)
    with Client() as asking, pytest.raises(NotFound, match="automl_jupyter") as caught:
        asking.user()
    assert caught.value.code == "client.no_extension"


def test_one_that_was_closed_says_so(server: Server, job: Job) -> None:
    with Client(server.url, server.token) as closed:
        events = closed.events(job)
        next(events)
    for ask in (lambda: closed.job(job.id), lambda: list(events), lambda: next(closed.events(job))):
        with pytest.raises(Conflict, match="This client was closed"):
            ask()


def test_every_error_is_one_of_ours() -> None:
    assert issubclass(TookTooLong, AutoMLError)


def test_a_model_is_drawn_and_its_card_written(client: Client, job: Job, tmp_path: Path) -> None:
    assert job.model is not None
    (chart,) = client.charts(job.model.name, "leaderboard", theme="dark")
    assert chart.sentence
    assert chart.spec["description"] == chart.sentence
    assert client.charts(f"{job.model.name}:{job.model.version}", "leaderboard", theme="dark") == [chart]
    card = client.report(job.model, tmp_path / "card.md", language="fr")
    assert card.read_text("utf-8").startswith("# Fiche du modèle")
    page = client.report(job.model.name, tmp_path / "card.html")
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_rows_and_a_data_set_are_drawn(client: Client, dataset: Dataset, job: Job) -> None:
    assert job.model is not None
    high, low = client.draw_rows(job.model, [{"x": 9, "colour": "red"}, {"x": 0, "colour": None}])
    assert (high.name, high.about, low.about) == ("contributions", "0", "1")
    assert high.sentence != low.sentence
    assert [chart.name for chart in client.dataset_charts(dataset, "missing")] == ["missing"]
    assert {chart.about for chart in client.dataset_charts(dataset.id, "histogram")} == {"x", "colour", "y"}


def test_a_model_is_written_as_code(client: Client, job: Job, tmp_path: Path) -> None:
    assert job.model is not None
    file = client.export(job.model, "python", tmp_path / "made.zip", language="fr")
    with zipfile.ZipFile(file) as made:
        assert {Path(name).suffix for name in made.namelist()} == {".py", ".parquet"}
    with pytest.raises(Malformed):
        client.export(job.model, "pickle", tmp_path / "made.pickle")
