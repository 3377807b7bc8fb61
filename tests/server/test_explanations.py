"""What a model has learnt, how an answer comes about, which version is better: over REST."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROW = {"age": 40, "city": "Paris", "since": "2024-01-01"}


def there(client, path, seconds=120, **params):
    """Ask until it is there; gives back the answer and what was said meanwhile."""
    said, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        answer = client.get(f"/automl/api/models/{path}/", params=params)
        if answer.status_code != 202:
            return answer, said
        said.append(answer.json())
        assert answer.headers["retry-after"] == "1"
        time.sleep(0.05)
    raise AssertionError(f"not there within {seconds} s: {said[-1:]}")


@pytest.fixture(scope="module", name="explanation")
def explained(server, world):
    with server.client("alice-token") as alice:
        answer, said = there(alice, f"{world.model}/explain")
        assert answer.status_code == 200, answer.text
        return answer.json(), said


def test_it_is_computed_with_progress_and_at_once_the_next_time(explanation, alice, world):
    found, said = explanation
    done = [study["progress"] for study in said]
    assert done == sorted(done)
    assert {study["state"] for study in said} <= {"queued", "running"}
    times = []
    for _ in range(3):
        began = time.monotonic()
        again = alice.get(f"/automl/api/models/{world.model}/explain/", params={"version": 1})
        times.append(time.monotonic() - began)
        # 202 would be said of one that is computed.
        assert again.status_code == 200
        assert again.json() == found
    assert min(times) < 1


def test_what_decides_is_on_top(explanation):
    found, _ = explanation
    worth = {group["columns"][0]: group for group in found["importance"]["groups"]}
    assert [*worth][:2] == ["age", "city"]
    assert worth["age"]["interval"][0] > 0
    assert worth["since"]["interval"][0] <= 0
    assert {size["column"] for size in found["contributions"]["columns"][:2]} == {"age", "city"}
    assert [curve["column"] for curve in found["dependences"]][:2] == ["age", "city"]
    assert (found["model"], found["version"], found["task"]) == ("customers", 1, "binary")


def test_contributions_add_up(explanation):
    found = explanation[0]["contributions"]
    values = np.array(found["values"])
    assert values.shape == (len(found["rows"]), 3, 1)
    assert len(found["ranks"]) == 3


def test_notes_are_in_the_readers_language(alice, world, explanation):
    french = alice.get(f"/automl/api/models/{world.model}/explain/", headers={"Accept-Language": "fr"}).json()
    notes = dict(zip((n["message"] for n in french["notes"]), explanation[0]["notes"], strict=True))
    assert notes
    assert all(message != note["message"] for message, note in notes.items())


class TestRows:
    @pytest.mark.parametrize("max_predict_ms", [None, 0.001])
    def test_what_each_column_adds_is_all_of_the_answer(self, alice, world, max_predict_ms):
        body = {"rows": [ROW, {**ROW, "age": 75, "city": "Nice"}]}
        if max_predict_ms is not None:
            body["max_predict_ms"] = max_predict_ms
        answer = alice.post(f"/automl/api/models/{world.model}/explain/", json=body)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["scale"] == "log_odds"
        assert found["outputs"] == ["yes"]
        for row in found["rows"]:
            adds = sum(c["adds"][0] for c in row["contributions"])
            assert row["base"][0] + adds == pytest.approx(row["said"][0], abs=1e-5)
            odds = np.log(row["probabilities"]["yes"] / row["probabilities"]["no"])
            assert row["said"][0] == pytest.approx(odds, abs=1e-3)
        first, second = found["rows"]
        assert {c["column"]: c["cell"] for c in first["contributions"]}["city"] == "Paris"
        assert second["contributions"][0]["column"] == "age"
        assert second["contributions"][0]["adds"][0] > 0

    def test_counterexamples_are_rows_of_the_table_that_were_predicted_otherwise(self, alice, world, table):
        lines = table.decode().splitlines()[1:]
        body = {"rows": [ROW], "counterexamples": 4}
        (row,) = alice.post(f"/automl/api/models/{world.model}/explain/", json=body).json()["rows"]
        distances = [example["distance"] for example in row["counterexamples"]]
        assert len(distances) == 4
        assert distances == sorted(distances)
        for example in row["counterexamples"]:
            assert example["predicted"] != row["value"]
            age, city, _, bought = lines[example["row"]].split(",")
            cells = example["cells"]
            assert (cells["age"], cells["city"], example["truth"]) == (float(age), city, bought)

    def test_what_if_asks_about_other_values(self, alice, world):
        body = {"rows": [ROW], "what_if": {"age": [20, 80], "city": None}}
        (row,) = alice.post(f"/automl/api/models/{world.model}/explain/", json=body).json()["rows"]
        age, city = row["what_if"]
        assert age["values"] == [20, 80]
        young, old = (answer["probabilities"]["yes"] for answer in age["answers"])
        assert old > young + 0.3
        asked = {"rows": [{**ROW, "age": 80}]}
        direct = alice.post(f"/automl/api/predict/{world.model}/", json=asked).json()["predictions"][0]
        assert old == pytest.approx(direct["probabilities"]["yes"], abs=1e-6)
        assert sorted(city["values"]) == ["Lyon", "Nice", "Paris"]

    @pytest.mark.parametrize(
        ("what_if", "code"),
        [
            ({"shoe": None}, "services.no_such_column_of_model"),
            ({"city": ["Atlantis"]}, "services.no_such_value"),
            ({"age": ["old"]}, "services.no_such_value"),
        ],
    )
    def test_what_there_is_not_is_refused(self, alice, world, what_if, code):
        body = {"rows": [ROW], "what_if": what_if}
        answer = alice.post(f"/automl/api/models/{world.model}/explain/", json=body)
        assert answer.status_code == 422
        assert answer.json()["code"] == code


def test_any_column_can_be_asked_about(alice, world):
    answer, _ = there(alice, f"{world.model}/dependence", column="since")
    found = answer.json()
    assert (found["column"], found["kind"]) == ("since", "datetime")
    assert len(found["values"]) == len(found["mean"]) == len(found["curves"][0])
    refused, _ = there(alice, f"{world.model}/dependence", column="shoe")
    assert (refused.status_code, refused.json()["code"]) == (422, "services.no_such_column_of_model")
    assert alice.get(f"/automl/api/models/{world.model}/dependence/").status_code == 400


def test_a_version_is_as_good_as_itself(alice, world):
    answer, _ = there(alice, f"{world.model}/compare", versions="1,1")
    found = answer.json()
    assert found["versions"] == [1, 1]
    assert (found["difference"], found["interval"], found["agreement"]) == (0, [0, 0], 1)
    assert found["rows"] == 400
    assert found["same_table"]
    assert "cannot be told apart" in found["message"]
    for versions in ("1", "1,x", "0,1"):
        refused = alice.get(f"/automl/api/models/{world.model}/compare/", params={"versions": versions})
        assert refused.json()["code"] == "server.bad_versions"
    missing = alice.get(f"/automl/api/models/{world.model}/compare/", params={"versions": "1,9"})
    assert missing.status_code == 404
