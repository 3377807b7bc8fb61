"""What findings propose is carried out by a request to train: groups, time, repeated rows, missing values."""

from __future__ import annotations

import json
import random
import sqlite3

import pytest

pytestmark = pytest.mark.slow


def visits() -> bytes:
    """Visits of 60 patients whose blood group of values recognises them; only `pulse` tells who is ill.

    Some weights are -999, and some visits were written down twice.
    """
    dice = random.Random(2)
    lines = []
    for number in range(60):
        ill, blood = dice.random() < 0.5, [dice.gauss(0, 1) for _ in range(3)]
        for _ in range(10):
            values = [f"{value + dice.gauss(0, 0.01):.4f}" for value in blood]
            pulse = dice.gauss(70 + 8 * ill, 10)
            weight = "-999" if dice.random() < 0.1 else f"{dice.gauss(70, 8):.2f}"
            lines.append(",".join([f"P{number:03d}", *values, f"{pulse:.2f}", weight, "yn"[ill]]))
    lines += dice.sample(lines, 30)
    return ("\n".join(["patient_id,b1,b2,b3,pulse,weight,ill", *lines]) + "\n").encode()


def days() -> bytes:
    """A thousand days in which demand wanders: neighbours are alike, and what comes next is not known."""
    dice = random.Random(3)
    lines, level = [], 100.0
    for day in range(1000):
        level += dice.gauss(0, 2)
        offer = dice.gauss(0, 1)
        date = f"{2015 + day // 336}-{day % 336 // 28 + 1:02d}-{day % 28 + 1:02d}"
        lines.append(f"{date},{offer:.3f},{level + 2 * offer + dice.gauss(0, 1):.2f}")
    return ("\n".join(["date,offer,demand", *lines]) + "\n").encode()


@pytest.fixture(scope="module", name="visited")
def visits_dataset(server, verbs) -> str:
    with server.client("alice-token") as alice:
        return verbs.upload(alice, visits(), "visits.csv")


@pytest.fixture(scope="module", name="daily")
def days_dataset(server, verbs) -> str:
    with server.client("alice-token") as alice:
        return verbs.upload(alice, days(), "days.csv")


def actions(client, dataset, target) -> dict[str, dict]:
    body = client.get(f"/automl/api/datasets/{dataset}/findings/", params={"target": target}).json()
    return {item["code"].removeprefix("findings."): item["action"] for item in body["items"]}


@pytest.mark.timeout(400)
def test_what_is_found_is_acted_on_in_one_request(visited, server, alice, verbs):
    found = actions(alice, visited, "ill")
    assert found["groups"] == {"groups": "patient_id"}
    assert found["duplicates"] == {"drop_duplicates": True}
    assert found["disguised_missing"] == {"missing_values": {"weight": ["-999"]}}
    wish = {**found["groups"], **found["duplicates"], **found["disguised_missing"], **verbs.effort}
    request = {"target": "ill", "time_budget": 120}
    plain = verbs.ended(alice, verbs.train(alice, visited, name="plain", **request, **verbs.effort))
    told = verbs.ended(alice, verbs.train(alice, visited, name="told", **request, **wish))
    assert (plain["state"], told["state"]) == ("done", "done"), (plain["error"], told["error"])
    assert (plain["options"], told["options"]) == (verbs.effort, wish)
    best = {name: job["leaderboard"][0] for name, job in (("plain", plain), ("told", told))}
    assert best["plain"]["score"] > 0.95
    assert best["told"]["score"] < 0.9
    assert {trial["state"] for trial in told["leaderboard"]} <= {"done", "skipped"}

    model = alice.get("/automl/api/models/told/").json()["versions"][0]
    columns = {column["name"]: column for column in model["columns"]}
    assert "patient_id" not in columns
    assert columns["weight"]["minimum"] > 0
    row = {"b1": 0.1, "b2": 0.2, "b3": -0.3, "pulse": 75}
    answer = alice.post(
        f"/automl/api/test-model/{visited}/told/",
        json={"rows": [{**row, "weight": weight} for weight in (-999, "-999", None)]},
    ).json()
    values = [one["probabilities"] for one in answer["predictions"]]
    assert values[0] == values[1] == values[2]
    assert not any(one["warnings"] for one in answer["predictions"])

    if told["mlflow_run_id"] is not None:
        with sqlite3.connect(server.data_dir / "mlflow.sqlite") as store:
            query = "SELECT key, value FROM params WHERE run_uuid = ?"
            params = dict(store.execute(query, (told["mlflow_run_id"],)))
        assert params["groups"] == "patient_id"
        assert params["drop_duplicates"] == "true"
        assert json.loads(params["missing_values"]) == {"weight": ["-999"]}


@pytest.mark.timeout(400)
def test_a_model_is_judged_on_what_comes_later(daily, alice, verbs):
    wish = actions(alice, daily, "demand")["time_order"]
    assert wish == {"time_column": "date"}
    scores = []
    for more in ({}, wish):
        request = {"target": "demand", "time_budget": 120, "name": f"days{len(more)}", **verbs.effort}
        body = verbs.ended(alice, verbs.train(alice, daily, **request, **more))
        assert body["state"] == "done", body["error"]
        scores.append(body["leaderboard"][0]["score"])
    assert scores[1] < 1.5 * scores[0] < 0


def test_clusters_are_found_among_rows_that_count_once(visited, alice, verbs):
    wish = {"drop_duplicates": True, "missing_values": {"weight": [-999]}}
    body = verbs.ended(alice, verbs.train(alice, visited, time_budget=20, name="clusters", **wish))
    assert body["state"] == "done", body["error"]
    assert body["options"] == wish


@pytest.mark.parametrize(
    ("request_", "field", "code"),
    [
        ({"groups": "patient"}, "groups", "engine.unknown_column"),
        ({"groups": "ill"}, "groups", "engine.groups_is_target"),
        ({"time_column": "patient_id"}, "time_column", "engine.not_a_time"),
        ({"groups": "patient_id", "time_column": "pulse"}, "groups", "engine.groups_and_time"),
        ({"missing_values": {"wieght": [-999]}}, "missing_values.wieght", "engine.unknown_column"),
        ({"target": None, "groups": "patient_id"}, "groups", "engine.division_of_clusters"),
    ],
)
def test_what_cannot_be_is_refused_before_any_job(visited, alice, request_, field, code):
    answer = alice.post(f"/automl/api/train/{visited}/", json={"target": "ill", **request_})
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == code
    assert field in {error["field"] for error in body["errors"]}
    assert all(error["message"] for error in body["errors"])


@pytest.mark.parametrize("marks", [{"weight": []}, {"weight": -999}, {"weight": [None]}])
def test_missing_values_are_lists_of_words_and_numbers(visited, alice, marks):
    answer = alice.post(f"/automl/api/train/{visited}/", json={"target": "ill", "missing_values": marks})
    assert answer.status_code in (400, 422)
    assert answer.json()["errors"][0]["field"].startswith("missing_values")
