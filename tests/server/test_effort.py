"""Work instead of time, and answers within milliseconds."""

from __future__ import annotations

import csv
import io

import numpy as np
import onnxruntime
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROWS = [{"age": age, "city": "Paris", "since": "2024-05-01"} for age in range(20, 70, 10)]
NEVER, ALWAYS = 1e-6, 1e6
"""Milliseconds that no ensemble keeps to, and that each does."""

BUDGET = 120
"""Seconds that suffice for a few candidates on a busy machine."""


@pytest.fixture(scope="module", name="trained")
def jobs_of_four_candidates(server, verbs, table) -> dict[str, dict]:
    """The same search three times, the last of them for quick answers."""
    found = {}
    with server.client("alice-token") as alice:
        dataset = verbs.upload(alice, table, "effort.csv")
        for name, more in (("once", {}), ("twice-over", {}), ("quick", {"max_predict_ms": NEVER})):
            request = {"target": "bought", "time_budget": BUDGET, "max_trials": 4, "name": name, **more}
            found[name] = verbs.ended(alice, verbs.train(alice, dataset, **request), BUDGET + 20)
            assert found[name]["state"] == "done", found[name]["error"]
    return found


def ask(client, name: str, **more: object) -> dict:
    answer = client.post(f"/automl/api/predict/{name}/", json={"rows": ROWS, **more})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert answer.headers["AutoML-Answered-By"] == body["answered_by"]
    return body


def shares(body: dict) -> list[float]:
    return [one["probabilities"]["yes"] for one in body["predictions"]]


def test_so_many_candidates_are_tried_and_time_is_left(trained):
    job = trained["once"]
    assert job["options"] == {"max_trials": 4}
    assert job["elapsed"] < BUDGET
    assert not [trial for trial in job["leaderboard"] if trial["state"] == "failed"]


def test_the_same_work_comes_to_the_same(trained, alice):
    boards = [
        {trial["name"]: trial["score"] for trial in trained[name]["leaderboard"]}
        for name in ("once", "twice-over")
    ]
    assert boards[0] == boards[1]
    assert shares(ask(alice, "once")) == shares(ask(alice, "twice-over"))


def test_the_quick_model_answers_where_the_ensemble_takes_too_long(trained, alice):
    slow, quick = ask(alice, "once"), ask(alice, "once", max_predict_ms=NEVER)
    assert (slow["answered_by"], quick["answered_by"]) == ("ensemble", "fast")
    assert shares(slow) == shares(ask(alice, "once", max_predict_ms=ALWAYS))
    assert shares(slow) != shares(quick)
    assert shares(quick) == pytest.approx(shares(slow), abs=0.3)


def test_a_model_keeps_to_what_it_was_trained_for_unless_asked_otherwise(trained, alice):
    assert trained["quick"]["options"] == {"max_trials": 4, "max_predict_ms": NEVER}
    assert ask(alice, "quick")["answered_by"] == "fast"
    assert ask(alice, "quick", max_predict_ms=ALWAYS)["answered_by"] == "ensemble"
    assert (
        alice.get(f"/automl/api/jobs/{trained['quick']['id']}/").json()["options"]["max_predict_ms"] == NEVER
    )


@pytest.mark.parametrize("path", ["predict/once", "test-model/{dataset}/once"])
def test_a_file_is_answered_by_the_quick_model(path, trained, alice):
    text = "age,city,since\n" + "".join(f"{row['age']},{row['city']},{row['since']}\n" for row in ROWS)
    url = f"/automl/api/{path.format(dataset=trained['once']['dataset_id'])}/"
    told = {}
    for limit in ("1e-06", "1000000"):
        for body in ({"content": text, "headers": {"Content-Type": "text/csv"}}, {"files": {"file": text}}):
            answer = alice.post(url, params={"max_predict_ms": limit}, **body)
            assert answer.status_code == 200, answer.text
            rows = csv.DictReader(io.StringIO(answer.text))
            answered = answer.headers["AutoML-Answered-By"]
            told.setdefault(answered, []).append([float(row["probability_yes"]) for row in rows])
    assert told.keys() == {"fast", "ensemble"}
    for name, limit in (("fast", NEVER), ("ensemble", ALWAYS)):
        wanted = pytest.approx(shares(ask(alice, "once", max_predict_ms=limit)), abs=1e-6)
        assert told[name] == [wanted, wanted]


def test_the_field_goes_before_the_query(trained, alice):
    answer = alice.post(
        "/automl/api/predict/once/",
        params={"max_predict_ms": "1000000"},
        json={"rows": ROWS, "max_predict_ms": NEVER},
    )
    assert answer.json()["answered_by"] == "fast"


@pytest.mark.parametrize("limit", ["", "0", "-1", "soon", "nan", "inf", "1e999", "1e-999", "²", "0x1"])
def test_a_limit_in_the_query_is_a_number_above_0(limit, trained, alice):
    answer = alice.post("/automl/api/predict/once/", params={"max_predict_ms": limit}, json={"rows": ROWS})
    assert answer.status_code == 400
    assert answer.json()["code"] == "server.bad_amount"
    assert [error["field"] for error in answer.json()["errors"]] == ["max_predict_ms"]


@pytest.mark.parametrize("limit", [0, -1, "5", True, []])
def test_a_limit_in_the_body_is_a_number_above_0(limit, trained, alice):
    body = {"rows": ROWS, "max_predict_ms": limit}
    answer = alice.post("/automl/api/predict/once/", json=body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["max_predict_ms"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_trials", 0), ("max_trials", 1.5), ("max_trials", "3"), ("max_trials", True)]
    + [("max_predict_ms", value) for value in (0, -1, "5", True)],
)
def test_what_is_no_amount_is_refused_before_any_job(field, value, trained, alice):
    path = f"/automl/api/train/{trained['once']['dataset_id']}/"
    answer = alice.post(path, json={"target": "bought", field: value})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_the_quick_model_runs_where_onnx_runs(trained, alice, wait_for):
    def sent():
        answer = alice.get("/automl/api/models/once/export/", params={"format": "onnx"})
        return None if answer.status_code == 202 else answer

    answer = wait_for(sent, 120)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="once-1.onnx"'
    session = onnxruntime.InferenceSession(answer.content, providers=["CPUExecutionProvider"])
    feed = {
        "age": np.array([[float(row["age"])] for row in ROWS]),
        "city": np.array([[row["city"]] for row in ROWS], dtype=object),
        "since": np.array([[np.datetime64(row["since"], "s").astype(float)] for row in ROWS]),
    }
    labels, probabilities = session.run(["label", "probabilities"], feed)
    said = ask(alice, "once", max_predict_ms=NEVER)
    assert labels.tolist() == [one["value"] for one in said["predictions"]]
    assert probabilities[:, 1].tolist() == pytest.approx(shares(said), abs=1e-5)


def test_clusters_have_one_model_which_always_answers(trained, alice, verbs):
    wish = {"max_trials": 4, "max_predict_ms": NEVER}
    dataset = trained["once"]["dataset_id"]
    job = verbs.ended(alice, verbs.train(alice, dataset, time_budget=20, name="effortless", **wish))
    assert (job["state"], job["options"]) == ("done", wish), job["error"]
    assert ask(alice, "effortless", max_predict_ms=NEVER)["answered_by"] == "ensemble"
