"""What is said of a data set before training, and what a request can do about it."""

from __future__ import annotations

import random

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", name="leaking")
def leaking_dataset(server, verbs) -> str:
    """People of whom one column was filled in after the outcome was known."""
    dice = random.Random(0)
    lines = ["age,income,called_back,bought"]
    for _ in range(600):
        age, income = dice.randint(18, 80), dice.gauss(30, 8)
        bought = age / 20 + income / 15 + dice.gauss(0, 1) > 4.4
        lines.append(f"{age},{income:.2f},{'x' if bought else ''},{'yes' if bought else 'no'}")
    with server.client("alice-token") as alice:
        return verbs.upload(alice, ("\n".join(lines) + "\n").encode(), "leaking.csv")


def test_a_leak_is_told_with_what_to_do(leaking, alice, verbs):
    body = alice.get(f"/automl/api/datasets/{leaking}/findings/", params={"target": "bought"}).json()
    assert body["target"] == "bought"
    leak = body["items"][0]
    assert (leak["severity"], leak["column"]) == ("serious", "called_back")
    assert "called_back" in leak["message"]
    assert leak["evidence"]
    assert leak["action"] == {"columns": ["age", "income"]}
    request = {"target": "bought", "time_budget": 120, "name": "honest", **verbs.effort, **leak["action"]}
    answer = alice.post(f"/automl/api/train/{leaking}/", json=request)
    assert answer.status_code == 202, answer.text
    job = verbs.ended(alice, answer.json()["id"])
    assert job["state"] == "done"
    assert job["leaderboard"][0]["score"] < 0.99


def test_how_much_time_to_give_is_said(leaking, alice):
    body = alice.get(f"/automl/api/datasets/{leaking}/findings/", params={"target": "bought"}).json()
    told = body["time_budget"]
    assert 5 <= told["quick"] < told["usual"] < told["thorough"] <= 600


def test_without_a_target_nothing_is_said_of_it(leaking, alice):
    body = alice.get(f"/automl/api/datasets/{leaking}/findings/").json()
    assert body["time_budget"] is None
    assert body["target"] is None
    assert not [item for item in body["items"] if item["severity"] == "serious"]


def test_findings_speak_french(leaking, alice):
    path = f"/automl/api/datasets/{leaking}/findings/"
    told = [
        alice.get(path, params={"target": "bought"}, headers={"Accept-Language": language}).json()["items"][0]
        for language in ("en", "fr")
    ]
    assert told[0]["code"] == told[1]["code"]
    assert told[0]["message"] != told[1]["message"]


def test_a_target_that_is_not_there_is_told(leaking, alice):
    answer = alice.get(f"/automl/api/datasets/{leaking}/findings/", params={"target": "bougt"})
    assert answer.status_code == 422
    assert "bought" in answer.json()["message"]
