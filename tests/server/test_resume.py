"""What a job has finished is never lost: whatever ends it, it is taken up again and ends as it would have."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(240),
    # MLflow's own, of the tables that it reads.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
]


def family(server) -> list[psutil.Process]:
    """Every process that a server has started, at whatever remove."""
    return psutil.Process(server.process.pid).children(recursive=True)


def running(server, what: str) -> list[psutil.Process]:
    """Those of them whose command line says so."""
    found = []
    for process in family(server):
        try:
            if what in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def workers(server) -> list[psutil.Process]:
    """The parents of the searches: where the coordinators run."""
    return [search.parent() for search in running(server, "search_process")]


def trial_files(server, job: str) -> list[Path]:
    return sorted((server.data_dir / "files" / "jobs" / job / "trials").glob("*.trial"))


def events(client, job: str) -> list[dict]:
    found = []
    with client.stream("GET", f"/automl/api/jobs/{job}/events/", timeout=120) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line[6:]))
    return found


ALL = 40
"""More candidates than there are, and no repeats: a repeat would change what is on the board."""


def board(client, job: str) -> dict[str, dict]:
    """What stays as it is of each finished trial."""
    fixed = ("score", "interval", "fit_seconds", "predict_seconds")
    trials = client.get(f"/automl/api/jobs/{job}/").json()["leaderboard"]
    return {
        trial["name"]: {name: trial[name] for name in fixed}
        for trial in trials
        if trial["state"] == "done" and not trial["baseline"] and trial["family"] != "ensemble"
    }


def resume(client, job: str, **body: object) -> dict:
    answer = client.post(f"/automl/api/jobs/{job}/resume/", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def wide() -> bytes:
    """A table that takes a while: 3,000 rows, 30 columns, three classes."""
    dice = random.Random(1)
    lines = [",".join(["answer", *(f"x{i}" for i in range(30))])]
    for _ in range(3000):
        row = [dice.gauss(0, 1) for _ in range(30)]
        answer = "abc"[(row[0] * row[1] > 0) + (row[2] + row[3] > 0.5)]
        lines.append(",".join([answer, *(f"{cell:.4f}" for cell in row)]))
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def start(start_server, tmp_path) -> Iterator[Callable[..., object]]:
    """Start servers on one and the same data; whatever happens, none outlives the test."""
    started = []

    def begin(name: str = "one", *options: str):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        token = "--IdentityProvider.token=secret"
        started.append(start_server(folder, token, *options, data_dir=tmp_path / "data"))
        return started[-1]

    yield begin
    for server in started:
        # One that a test has stopped does not hear of anything else.
        server.stop(signal.SIGKILL)


def test_a_job_whose_server_was_killed_goes_on_from_its_finished_trials(start, wide, verbs, wait_for):
    first = start()
    with first.client("secret") as client:
        dataset = verbs.upload(client, wide)
        # So many candidates and no repeats, as for ALL.
        job = verbs.train(client, dataset, target="answer", time_budget=90, max_trials=4)
        wait_for(lambda: len(board(client, job)) >= 2, 40)
        wait_for(lambda: client.get(f"/automl/api/jobs/{job}/").json()["mlflow_run_id"])
        processes = family(first)
        before = board(client, job)
    first.stop(signal.SIGKILL)
    assert not psutil.wait_procs(processes, 30)[1]
    kept = trial_files(first, job)
    second = start()
    with second.client("secret") as client, ThreadPoolExecutor(1) as pool:
        lost = verbs.ended(client, job)
        assert (lost["state"], lost["attempt"]) == ("interrupted", 1)
        assert board(client, job).items() >= before.items()
        before = board(client, job)
        answer = resume(client, job)
        assert answer["state"] in ("queued", "running")
        assert (answer["attempt"], answer["error"]) == (2, None)
        assert answer["time_budget"] == pytest.approx(max(90, lost["elapsed"] + 10), abs=0.1)
        log = pool.submit(lambda: events(client, job))
        assert client.post(f"/automl/api/jobs/{job}/resume/").json()["code"] == "services.job_not_resumable"
        wait_for(lambda: client.get(f"/automl/api/jobs/{job}/").json()["state"] == "running")
        # What was finished is there from the first moment and stays as it was: nothing is fitted twice.
        assert board(client, job).items() >= before.items()
        assert set(kept) <= set(trial_files(second, job))
        body = verbs.ended(client, job, 120)
        assert body["state"] == "done", body
        assert board(client, job).items() >= before.items()
        assert len(board(client, job)) > len(before)
        assert lost["elapsed"] < body["elapsed"] < body["time_budget"] + 3
        told = log.result(60)
        assert [event["id"] for event in told] == list(range(1, len(told) + 1))
        ends = [event["data"]["state"] for event in told if event["kind"] == "done"]
        assert ends == ["interrupted", "done"]
        names = [event["data"]["name"] for event in told if event["kind"] == "trial"]
        assert len(names) == len(set(names)), "a trial that was known is not told as news"
        assert client.post(f"/automl/api/jobs/{job}/resume/").status_code == 409
        row = {f"x{i}": 0.5 for i in range(30)}
        name = body["model"]["name"]
        assert client.post(f"/automl/api/predict/{name}/", json={"rows": [row]}).status_code == 200
        assert not (second.data_dir / "files" / "jobs" / job).exists()

    mlflow = pytest.importorskip("mlflow")
    store = mlflow.MlflowClient(f"sqlite:///{second.data_dir / 'mlflow.sqlite'}")

    def runs():
        ids = [experiment.experiment_id for experiment in store.search_experiments()]
        return store.search_runs(ids, f"tags.`automl.job` = '{job}'")

    # The run of the lost attempt has gone, that of the second tells of all trials.
    assert wait_for(lambda: [run.info.run_id for run in runs()] == [body["mlflow_run_id"]])
    assert runs()[0].info.status == "FINISHED"
    below = store.search_runs(
        [runs()[0].info.experiment_id], f"tags.`mlflow.parentRunId` = '{body['mlflow_run_id']}'"
    )
    assert {run.info.run_name for run in below} >= set(board_names(body))


def board_names(body: dict) -> list[str]:
    return [trial["name"] for trial in body["leaderboard"] if trial["state"] == "done"]


def test_it_ends_as_if_nothing_had_happened(start, table, verbs, wait_for):
    """Where work is given and not time, the model of a resumed job is the one of a job left alone."""
    wanted = {"target": "bought", "time_budget": 90, "max_trials": 5}
    first = start()
    with first.client("secret") as client:
        dataset = verbs.upload(client, table)
        left_alone = verbs.train(client, dataset, name="alone", **wanted)
        assert verbs.ended(client, left_alone, 120)["state"] == "done"
        job = verbs.train(client, dataset, name="killed", **wanted)
        wait_for(lambda: len(board(client, job)) >= 2, 40)
    first.stop(signal.SIGKILL)
    second = start()
    with second.client("secret") as client:
        verbs.ended(client, job)
        resume(client, job, time_budget=90)
        assert verbs.ended(client, job, 120)["state"] == "done"
        rows = [{"age": age, "city": city, "since": "2024-03-01"} for age in range(18, 80, 3)
                for city in ("Paris", "Lyon", "Rome", None)]  # fmt: skip
        answers = [
            client.post(f"/automl/api/predict/{name}/", json={"rows": rows}).json()["predictions"]
            for name in ("alone", "killed")
        ]
        shares = [[one["probabilities"]["yes"] for one in answer] for answer in answers]
        assert shares[0] == shares[1]
        assert {name: t["score"] for name, t in board(client, job).items()} == {
            name: t["score"] for name, t in board(client, left_alone).items()
        }


def test_what_was_stopped_or_cancelled_can_be_taken_up(alice, bob, server, wide, verbs, wait_for):
    dataset = verbs.upload(alice, wide, "later.csv")
    job = verbs.train(alice, dataset, target="answer", time_budget=60, max_trials=ALL)
    assert alice.post(f"/automl/api/jobs/{job}/resume/").status_code == 409
    wait_for(lambda: board(alice, job), 40)
    alice.post(f"/automl/api/jobs/{job}/cancel/")
    before = verbs.ended(alice, job)
    assert before["state"] == "cancelled"
    assert bob.post(f"/automl/api/jobs/{job}/resume/", json={}).status_code == 404
    assert alice.post(f"/automl/api/jobs/{job}/resume/", json={"time_budget": 1}).status_code == 400
    assert alice.post(f"/automl/api/jobs/{job}/resume/", json={"time_budget": 1e9}).status_code == 422

    asked = resume(alice, job, time_budget=30)
    assert asked["time_budget"] == pytest.approx(before["elapsed"] + 30, abs=0.1)
    wait_for(lambda: alice.get(f"/automl/api/jobs/{job}/").json()["state"] == "running")
    wait_for(lambda: len(board(alice, job)) > 1)
    alice.post(f"/automl/api/jobs/{job}/stop/")
    stopped = verbs.ended(alice, job)
    assert (stopped["state"], stopped["model"]["version"]) == ("stopped", 1)
    found = board(alice, job)

    resume(alice, job, time_budget=10)
    done = verbs.ended(alice, job)
    assert (done["state"], done["model"]["version"], done["attempt"]) == ("done", 2, 3)
    assert board(alice, job).items() >= found.items()
    # Both versions are there and answer.
    row = {f"x{i}": 0.5 for i in range(30)}
    for version in (1, 2):
        path = f"/automl/api/test-model/{dataset}/later-answer:{version}/"
        assert alice.post(path, json={"rows": [row]}).status_code == 200


def test_a_worker_killed_in_a_fit_fails_its_job_which_can_be_taken_up(start, wide, verbs, wait_for):
    server = start()
    with server.client("secret") as client:
        dataset = verbs.upload(client, wide)
        job = verbs.train(client, dataset, target="answer", time_budget=60, max_trials=ALL)
        wait_for(lambda: board(client, job), 40)
        searching = running(server, "search_process")
        for worker in workers(server):
            worker.kill()
        failed = verbs.ended(client, job)
        assert (failed["state"], failed["error"]["code"]) == ("failed", "backends.worker_died")
        assert not psutil.wait_procs(searching, 30)[1]
        before = board(client, job)
        resume(client, job, time_budget=10)
        done = verbs.ended(client, job)
        assert done["state"] == "done", done
        assert board(client, job).items() >= before.items()

        # The process that drives the workers is lost with all of them, and comes back as well.
        job = verbs.train(client, dataset, target="answer", time_budget=60, name="again")
        wait_for(lambda: board(client, job), 40)
        for host in running(server, "dask_host"):
            host.kill()
        failed = verbs.ended(client, job)
        assert (failed["state"], failed["error"]["code"]) == ("failed", "backends.compute_died")
        resume(client, job, time_budget=10)
        assert verbs.ended(client, job)["state"] == "done"


def test_a_search_that_stands_still_is_ended_and_concluded(start, wide, verbs, wait_for):
    server = start()
    with server.client("secret") as client:
        dataset = verbs.upload(client, wide)
        job = verbs.train(client, dataset, target="answer", time_budget=20)
        wait_for(lambda: board(client, job), 40)
        before = board(client, job)
        for search in running(server, "search_process"):
            search.suspend()
        body = verbs.ended(client, job, 70)
        assert body["state"] == "done", body
        assert board(client, job).items() >= before.items()
        assert body["elapsed"] < 20 + 2 + 20 + 5


class TestTwoServers:
    """Two servers on one data folder, as two tabs of a launcher make them."""

    @pytest.fixture
    def both(self, start):
        options = ("--AutoML.dead_after_seconds=6",)
        with ThreadPoolExecutor(2) as pool:
            one, two = pool.map(lambda name: start(name, *options), ("one", "two"))
        return one, two

    def test_each_sees_and_steers_what_the_other_does(self, both, table, wide, verbs, wait_for):
        one, two = both
        with ThreadPoolExecutor(2) as pool, one.client("secret") as first, two.client("secret") as second:
            # The very first requests come at the same moment: one database is made, not two.
            datasets = list(
                pool.map(lambda client: verbs.upload(client, table), (first, second))
            )  # fmt: skip
            for client in (first, second):
                listed = client.get("/automl/api/datasets/").json()
                assert {item["id"] for item in listed["items"]} == set(datasets)
            job = verbs.train(first, datasets[1], target="bought", time_budget=30)
            log = pool.submit(lambda: [(e, time.time()) for e in events(second, job)])
            body = verbs.ended(second, job)
            assert body["state"] == "done"
            told = [event for event, _ in log.result(30)]
            assert told == events(first, job)
            row = {"rows": [{"age": 70, "city": "Paris", "since": "2024-05-01"}]}
            answers = [
                client.post("/automl/api/predict/customers-bought/", json=row).json()["predictions"][0][
                    "value"
                ]
                for client in (first, second)
            ]
            assert answers[0] == answers[1]

            dataset = verbs.upload(second, wide, "wide.csv")
            job = verbs.train(first, dataset, target="answer", time_budget=60)
            wait_for(lambda: board(second, job), 40)
            assert second.post(f"/automl/api/jobs/{job}/stop/").status_code == 202
            assert verbs.ended(second, job)["state"] == "stopped"

    def test_one_takes_over_from_the_other(self, both, wide, verbs, wait_for):
        one, two = both
        with one.client("secret") as first, two.client("secret") as second:
            dataset = verbs.upload(first, wide)
            assert second.get("/automl/api/jobs/").json()["total"] == 0
            job = verbs.train(first, dataset, target="answer", time_budget=100)
            wait_for(lambda: board(second, job), 40)
            # As a laptop's lid does it, but for one of the two.
            searching = running(one, "search_process")
            os.kill(one.process.pid, signal.SIGSTOP)
            lost = verbs.ended(second, job)
            assert lost["state"] == "interrupted"
            resume(second, job, time_budget=10)
            os.kill(one.process.pid, signal.SIGCONT)
            # The attempt of the one that woke up is called off, and it goes on with everything else.
            assert not psutil.wait_procs(searching, 30)[1]
            done = verbs.ended(first, job)
            assert (done["state"], done["attempt"], done["model"]["version"]) == ("done", 2, 1)
            again = verbs.train(first, dataset, target="answer", time_budget=10, name="again")
            assert verbs.ended(first, again)["state"] == "done"
            assert verbs.ended(second, again)["state"] == "done"
