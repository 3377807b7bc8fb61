"""Rows and files in, answers out; versions, champions, what is warned of."""

from __future__ import annotations

import csv
import io

import pytest

pytestmark = pytest.mark.slow

ROW = {"age": 70, "city": "Paris", "since": "2024-05-01"}


def ask(client, rows, path="/automl/api/predict/customers/", **headers):
    return client.post(path, json={"rows": rows}, headers=headers)


def test_rows_are_answered_in_order(alice, world):
    young = {"city": "Lyon", "since": "2024-05-01", "age": 20}
    body = ask(alice, [ROW, young, ROW]).json()
    assert (body["model"], body["version"]) == ("customers", 1)
    values = [prediction["value"] for prediction in body["predictions"]]
    assert values == ["yes", "no", "yes"]
    for prediction in body["predictions"]:
        assert set(prediction["probabilities"]) == {"no", "yes"}
        assert sum(prediction["probabilities"].values()) == pytest.approx(1)
        assert prediction["warnings"] == []
    assert len({prediction["id"] for prediction in body["predictions"]}) == 3


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ({**ROW, "city": "Rome"}, "engine.unseen_category", "city"),
        ({"age": 70, "city": "Paris"}, "engine.missing_column", "since"),
        ({**ROW, "age": "many"}, "engine.unparseable_value", "age"),
    ],
)
def test_what_the_model_has_not_learned_is_said(row, code, column, alice, world):
    found = ask(alice, [row, ROW], **{"Accept-Language": "fr"}).json()["predictions"]
    assert [(w["code"], w["column"]) for w in found[0]["warnings"]] == [(code, column)]
    assert column in found[0]["warnings"][0]["message"]
    assert found[1]["warnings"] == []


def test_a_column_it_does_not_know_is_a_note(alice, world):
    body = ask(alice, [{**ROW, "shoe": 43}]).json()
    assert [note["code"] for note in body["notes"]] == ["engine.extra_columns"]
    assert "shoe" in body["notes"][0]["message"]


@pytest.mark.parametrize(
    "body", [{}, {"rows": []}, {"rows": [1]}, {"rows": [{"a": [1]}]}, {"rows": [{}], "x": 1}, []]
)
def test_a_body_of_the_wrong_shape(body, alice, world):
    answer = alice.post("/automl/api/predict/customers/", json=body)
    assert answer.status_code == 400, answer.text


def test_csv_in_csv_out(alice, world, table):
    answer = alice.post("/automl/api/predict/customers/", content=table, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["x-automl-model"] == "customers:1"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 400
    assert list(rows[0]) == ["prediction", "probability_no", "probability_yes", "prediction_id", "warnings"]
    truth = [line.rpartition(",")[2] for line in table.decode().split()[1:]]
    assert sum(r["prediction"] == t for r, t in zip(rows, truth, strict=True)) > 300
    one = ask(
        alice, [dict(zip(["age", "city", "since"], table.decode().split()[1].split(","), strict=False))]
    )
    share = one.json()["predictions"][0]["probabilities"]["yes"]
    assert float(rows[0]["probability_yes"]) == pytest.approx(share, abs=1e-6)


def test_a_form_is_answered_too(alice, world, table):
    answer = alice.post("/automl/api/predict/customers/", files={"file": ("a.csv", table, "text/csv")})
    assert answer.status_code == 200
    assert answer.text.count("\n") == 401


def test_cells_that_a_spreadsheet_would_run_are_made_harmless(alice, verbs):
    rows = [f"{i % 10},{'=1+1' if i % 10 > 4 else '@no'}" for i in range(100)]
    dataset = verbs.upload(alice, ("x,answer\n" + "\n".join(rows) + "\n").encode(), "formula.csv")
    job = verbs.train(alice, dataset, target="answer", time_budget=120, **verbs.effort)
    name = verbs.ended(alice, job)["model"]["name"]
    answer = alice.post(
        f"/automl/api/predict/{name}/", content=b"x\n9\n1\n", headers={"Content-Type": "text/csv"}
    )
    assert [row["prediction"] for row in csv.DictReader(io.StringIO(answer.text))] == ["'=1+1", "'@no"]
    exact = ask(alice, [{"x": 9}], f"/automl/api/predict/{name}/").json()["predictions"][0]
    assert exact["value"] == "=1+1"


@pytest.fixture(scope="module", name="two")
def two_versions(server, verbs, table) -> str:
    """The data set of a model with two versions."""
    with server.client("alice-token") as alice:
        dataset = verbs.upload(alice, table, "twice.csv")
        for seed in (0, 1):
            verbs.model(alice, dataset, target="bought", seed=seed, name="twice")
    return dataset


class TestVersions:
    def test_the_first_is_champion_until_another_is_promoted(self, two, alice, wait_for):
        model = alice.get("/automl/api/models/twice/").json()
        assert model["champion"] == 1
        assert [(v["version"], v["aliases"]) for v in model["versions"]] == [
            (2, ["challenger"]),
            (1, ["champion"]),
        ]
        assert ask(alice, [ROW], "/automl/api/predict/twice/").json()["version"] == 1
        promoted = alice.post("/automl/api/models/twice/promote/", json={"version": 2})
        assert promoted.json()["champion"] == 2
        assert ask(alice, [ROW], "/automl/api/predict/twice/").json()["version"] == 2
        back = alice.post("/automl/api/models/twice/rollback/")
        assert back.json()["champion"] == 1
        assert alice.post("/automl/api/models/twice/rollback/").status_code == 409
        assert alice.post("/automl/api/models/twice/promote/", json={"version": 9}).status_code == 404

    @pytest.mark.parametrize(
        ("reference", "version"),
        [("twice", 2), ("twice:1", 1), ("twice@champion", 1), ("twice@challenger", 2)],
    )
    def test_a_version_is_named_in_four_ways(self, reference, version, two, alice):
        body = ask(alice, [ROW], f"/automl/api/test-model/{two}/{reference}/").json()
        assert body["version"] == version

    @pytest.mark.parametrize("reference", ["twice:3", "twice@other", "nobody", "twice:x"])
    def test_a_version_that_is_not_there(self, reference, two, alice):
        assert ask(alice, [ROW], f"/automl/api/test-model/{two}/{reference}/").status_code == 404

    def test_a_dataset_with_models_is_deleted_with_all_of_it_or_not_at_all(self, alice, verbs, table, server):
        dataset = verbs.upload(alice, table, "gone.csv")
        job = verbs.model(alice, dataset, target="bought", name="gone")["id"]
        refused = alice.delete(f"/automl/api/datasets/{dataset}/")
        assert refused.status_code == 409
        assert "gone" in refused.json()["message"]
        assert alice.delete(f"/automl/api/datasets/{dataset}/", params={"cascade": "true"}).status_code == 204
        for path in (f"datasets/{dataset}", "models/gone", f"jobs/{job}"):
            assert alice.get(f"/automl/api/{path}/").status_code == 404
        files = server.data_dir / "files"
        assert not (files / "datasets" / dataset).exists()
        assert not list((files / "models").glob(f"{job}/*"))
