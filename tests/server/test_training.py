"""Jobs from the request to the model: what is refused first, what is live, what ends when asked."""

from __future__ import annotations

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

pytestmark = pytest.mark.slow


def searches(server) -> list[psutil.Process]:
    """The processes that search for jobs of this server."""
    return [p for p in family(server) if "search_process" in " ".join(command(p))]


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def family(server) -> list[psutil.Process]:
    """Every process that a server has started, at whatever remove."""
    try:
        return psutil.Process(server.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def events(client, job: str, **headers: str) -> list[dict]:
    """All events of a job until it has ended, as the stream tells them."""
    found = []
    with client.stream("GET", f"/automl/api/jobs/{job}/events/", headers=headers, timeout=90) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["x-accel-buffering"] == "no"
        for line in stream.iter_lines():
            if line.startswith("data: "):
                found.append({**json.loads(line[6:]), "heard": time.time()})
    return found


def follow(server, job: str) -> list[dict]:
    """The same, over a connection of its own, for a thread that listens while the job runs."""
    with server.client("alice-token") as client:
        return events(client, job)


@pytest.fixture(scope="module")
def tables(server, verbs) -> dict[str, str]:
    """Data sets of which nothing can be learnt, each for a reason of its own."""
    rows = [f"{i % 7},{'ab'[i % 2]},same,{i % 3}" for i in range(40)]
    head = "number,letter,constant,third"
    files = {
        "good": [head, *rows],
        "few": [head, *rows[:5]],
        "one": [head, rows[0]],
        "empty_target": ["number,letter,answer", *(f"{i},a," for i in range(30))],
        "lonely": ["answer", *("yes" if i % 2 else "no" for i in range(30))],
    }
    with server.client("alice-token") as alice:
        return {
            name: verbs.upload(alice, ("\n".join(lines) + "\n").encode(), f"{name}.csv")
            for name, lines in files.items()
        }


@pytest.mark.parametrize(
    ("table", "target", "code"),
    [
        ("good", "leter", "engine.unknown_target"),
        ("good", "constant", "engine.constant_target"),
        ("few", "letter", "engine.too_few_rows"),
        ("one", "letter", "engine.too_few_rows"),
        ("empty_target", "answer", "engine.target_all_missing"),
        ("lonely", "answer", "engine.no_features"),
    ],
)
def test_what_cannot_be_learnt_is_refused_before_a_job(table, target, code, tables, alice):
    before = alice.get("/automl/api/jobs/").json()["total"]
    answer = alice.post(f"/automl/api/train/{tables[table]}/", json={"target": target})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert answer.json()["errors"][0]["field"] in ("target", "columns")
    assert alice.get("/automl/api/jobs/").json()["total"] == before


def test_the_nearest_columns_are_named(tables, alice):
    answer = alice.post(f"/automl/api/train/{tables['good']}/", json={"target": "leter"})
    assert "letter" in answer.json()["message"]
    french = alice.post(
        f"/automl/api/train/{tables['good']}/", json={"target": "leter"}, headers={"Accept-Language": "fr"}
    )
    assert "letter" in french.json()["message"]
    assert french.json()["message"] != answer.json()["message"]


@pytest.mark.parametrize(
    "request_",
    [
        {"target": "letter", "task": "ranking"},
        {"target": "letter", "time_budget": 1},
        {"target": "letter", "name": "../up"},
        {"target": "letter", "columns": []},
        {"target": "letter", "budget": 10},
        {"target": 3},
        [],
        7,
    ],
)
def test_a_request_of_the_wrong_shape_names_its_fields(request_, tables, alice):
    answer = alice.post(f"/automl/api/train/{tables['good']}/", json=request_)
    assert answer.status_code == 400
    assert answer.json()["code"] == "server.bad_body"


def test_an_unknown_metric_lists_those_that_fit(tables, alice):
    answer = alice.post(f"/automl/api/train/{tables['good']}/", json={"target": "letter", "metric": "best"})
    assert answer.status_code == 422
    assert "roc_auc" in answer.json()["message"]


@pytest.mark.alone
def test_a_job_ends_in_time_with_a_leaderboard_and_a_model(alice, world):
    job = alice.get(f"/automl/api/jobs/{world.job}/").json()
    assert job["state"] == "done"
    assert job["elapsed"] < job["time_budget"] + 3
    board = job["leaderboard"]
    assert [trial["baseline"] for trial in board].count(True) == 1
    scores = [trial["score"] for trial in board if trial["score"] is not None]
    assert scores == sorted(scores, reverse=True)
    baseline = next(trial["score"] for trial in board if trial["baseline"])
    assert baseline == pytest.approx(0.5)
    assert board[0]["score"] > 0.8
    assert board[0]["tied_with_best"]
    assert all(
        trial["interval"][0] <= trial["score"] <= trial["interval"][1] for trial in board if trial["interval"]
    )
    assert job["model"] == {"name": "customers", "version": 1}
    assert job["mlflow_run_id"]


def test_events_are_gapless_and_can_be_taken_up(alice, world):
    told = events(alice, world.job)
    assert [event["id"] for event in told] == list(range(1, len(told) + 1))
    assert told[-1]["kind"] == "done"
    assert told[-1]["data"] == {"state": "done", "model": {"name": "customers", "version": 1}}
    middle = told[3]["id"]
    again = events(alice, world.job, **{"Last-Event-ID": str(middle)})
    assert [event["id"] for event in again] == [event["id"] for event in told[3 + 1 :]]


@pytest.mark.alone
def test_trials_are_told_while_the_job_runs_and_stop_keeps_the_best(alice, server, table, verbs, wait_for):
    dataset = verbs.upload(alice, table, "stopped.csv")
    job = verbs.train(alice, dataset, target="bought", time_budget=60)
    path = f"/automl/api/jobs/{job}/"
    follower = ThreadPoolExecutor(1)
    following = follower.submit(follow, server, job)
    wait_for(lambda: [t for t in alice.get(path).json()["leaderboard"] if not t["baseline"]])
    assert alice.get(path).json()["state"] == "running"
    asked = time.monotonic()
    assert alice.post(path + "stop/").status_code == 202
    body = verbs.ended(alice, job, 20)
    assert time.monotonic() - asked < 15
    assert body["state"] == "stopped"
    assert body["model"] == {"name": "stopped-bought", "version": 1}
    heard = [e["heard"] for e in following.result(30) if e["kind"] == "trial"]
    follower.shutdown()
    # A trial's file is written as it ends; those of a stopped job are kept.
    files = sorted((server.data_dir / "files" / "jobs" / job / "trials").glob("*.trial"))
    late = sorted(told - file.stat().st_mtime for told, file in zip(heard, files, strict=True))
    assert late[-1] < 1, late
    assert alice.post(path + "stop/").status_code == 409
    row = {"rows": [{"age": 70, "city": "Paris", "since": "2024-05-01"}]}
    assert alice.post("/automl/api/predict/stopped-bought/", json=row).status_code == 200


@pytest.mark.alone
def test_cancel_frees_the_processors_and_the_next_job_starts(alice, server, table, verbs, wait_for):
    dataset = verbs.upload(alice, table, "cancelled.csv")
    first = verbs.train(alice, dataset, target="bought", time_budget=120)
    waiting = verbs.train(alice, dataset, target="bought", time_budget=120)
    wait_for(lambda: searches(server), 60)
    wait_for(lambda: alice.get(f"/automl/api/jobs/{first}/").json()["state"] == "running", 30)
    # With few processors one job runs at a time: the second waits and never starts.
    if alice.get(f"/automl/api/jobs/{waiting}/").json()["state"] == "queued":
        alice.post(f"/automl/api/jobs/{waiting}/cancel/")
        assert verbs.ended(alice, waiting)["state"] == "cancelled"
    else:
        alice.post(f"/automl/api/jobs/{waiting}/cancel/")
    asked = time.monotonic()
    assert alice.post(f"/automl/api/jobs/{first}/cancel/").status_code == 202
    wait_for(lambda: not searches(server), 3)
    assert time.monotonic() - asked < 3
    body = verbs.ended(alice, first)
    assert (body["state"], body["model"]) == ("cancelled", None)
    assert alice.post(f"/automl/api/jobs/{first}/cancel/").status_code == 409


@pytest.mark.parametrize(
    ("target", "task"), [("age", "regression"), ("city", "multiclass"), (None, "clustering")]
)
def test_the_other_tasks(target, task, alice, table, verbs):
    dataset = verbs.upload(alice, table, f"{task}.csv")
    request = {"target": target, **verbs.effort} if target else {}
    job = verbs.train(alice, dataset, **request, time_budget=120)
    body = verbs.ended(alice, job)
    assert (body["state"], body["task"]) == ("done", task), body
    row = {"age": 70, "city": "Paris", "since": "2024-05-01", "bought": "yes"}
    row.pop(target, None)
    answer = alice.post(f"/automl/api/predict/{body['model']['name']}/", json={"rows": [row]})
    assert answer.status_code == 200, answer.text
    found = answer.json()["predictions"][0]
    assert (found["probabilities"] is not None) == (task != "regression")


def test_a_name_belongs_to_one_question(alice, table, verbs, world):
    dataset = verbs.upload(alice, table, "other.csv")
    answer = alice.post(f"/automl/api/train/{dataset}/", json={"target": "age", "name": "customers"})
    assert (answer.status_code, answer.json()["code"]) == (409, "services.model_name_taken")


class TestRestart:
    """A server of its own, because it is ended."""

    @pytest.fixture
    def start(self, start_server, tmp_path):
        """Start a server on one and the same folder; whatever happens, none outlives the test."""
        started = []

        def begin():
            started.append(start_server(tmp_path, "--IdentityProvider.token=secret"))
            return started[-1]

        yield begin
        for server in started:
            server.stop(signal.SIGKILL)

    def test_jobs_and_events_are_the_same_afterwards_and_nothing_is_left(self, start, table, verbs, wait_for):
        first = start()
        with first.client("secret") as client:
            dataset = verbs.upload(client, table)
            done = verbs.model(client, dataset, target="bought")["id"]
            before = client.get(f"/automl/api/jobs/{done}/").json(), events(client, done)
            running = verbs.train(client, dataset, target="bought", time_budget=100)
            wait_for(lambda: searches(first), 60)
            processes = family(first)
        first.stop(signal.SIGKILL)
        _, alive = psutil.wait_procs(processes, 30)
        assert not alive, [command(process) for process in alive]
        second = start()
        with second.client("secret") as client:
            told = [{**event, "heard": 0} for event in events(client, done)]
            assert told == [{**event, "heard": 0} for event in before[1]]
            assert client.get(f"/automl/api/jobs/{done}/").json() == before[0]
            interrupted = verbs.ended(client, running)
            assert interrupted["state"] == "interrupted"
            assert events(client, running)[-1]["data"]["state"] == "interrupted"
            row = {"rows": [{"age": 70, "city": "Paris", "since": "2024-05-01"}]}
            name = before[0]["model"]["name"]
            assert client.post(f"/automl/api/predict/{name}/", json=row).status_code == 200
            processes = family(second)
        second.stop()
        assert not psutil.wait_procs(processes, 30)[1]
