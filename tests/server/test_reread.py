"""A file is read again as a person decides, into a data set beside the first."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SALES = "code postal;prix;le\n01000;1,234;01/02/2024\n75001;5,678;03/04/2024\n75002;9,012;05/06/2024\n"
FOLDER = Path(os.environ.get("AUTOML_TEST_DATA", "")) / "nasty"


def accepted() -> list[str]:
    manifest = FOLDER / "manifest.csv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as file:
        return [row["file"] for row in csv.DictReader(file)]


@pytest.fixture(scope="module", name="sales")
def sales_dataset(server, verbs) -> str:
    with server.client("alice-token") as alice:
        return verbs.upload(alice, SALES.encode(), "sales.csv")


def reread(client, dataset: str, **options):
    return client.post(f"/automl/api/datasets/{dataset}/reread/", json=options)


def types(body: dict) -> list[str]:
    return [column["type"] for column in body["columns"]]


def first_row(client, dataset: str) -> list[object]:
    return client.get(f"/automl/api/datasets/{dataset}/preview/").json()["rows"][0]


def test_another_reading_is_another_data_set(sales, alice):
    before = alice.get(f"/automl/api/datasets/{sales}/").json()
    answer = reread(alice, sales, column_types={"code postal": "integer"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["id"] != sales
    assert (body["parent"], body["name"], before["parent"]) == (sales, "sales", None)
    assert types(before) == ["string", "number", "datetime"]
    assert types(body) == ["integer", "number", "datetime"]
    assert body["dialect"]["overrides"] == {"column_types": {"code postal": "integer"}}
    assert body["columns"][0]["read"]["asked"] is True
    assert alice.get(f"/automl/api/datasets/{body['id']}/").json() == body
    assert alice.get(f"/automl/api/datasets/{sales}/").json() == before


def test_what_was_decided_holds_until_it_is_decided_anew(sales, alice):
    child = reread(alice, sales, decimal=".", thousands=",").json()
    assert first_row(alice, child["id"])[1:] == [1234, "2024-02-01T00:00:00"]
    grandchild = reread(alice, child["id"], columns={"le": {"day_first": False}}).json()
    assert first_row(alice, grandchild["id"])[1:] == [1234, "2024-01-02T00:00:00"]
    assert grandchild["parent"] == child["id"]
    back = reread(alice, grandchild["id"], decimal=None, thousands=None).json()
    assert first_row(alice, back["id"])[1:] == [1.234, "2024-01-02T00:00:00"]
    assert back["dialect"]["overrides"] == {"columns": {"le": {"day_first": False}}}


def test_decisions_on_columns_that_are_gone_are_forgotten(sales, alice):
    child = reread(alice, sales, column_types={"prix": "string"}).json()
    whole = reread(alice, child["id"], separator="|")
    assert whole.status_code == 201, whole.text
    assert whole.json()["dialect"]["overrides"] == {"separator": "|"}


def test_the_child_outlives_its_parent(alice, verbs):
    parent = verbs.upload(alice, SALES.encode(), "parent.csv")
    child = reread(alice, parent, decimal=",").json()["id"]
    assert alice.delete(f"/automl/api/datasets/{parent}/").status_code == 204
    body = alice.get(f"/automl/api/datasets/{child}/").json()
    assert body["parent"] is None
    assert reread(alice, child, separator=";").status_code == 201


@pytest.mark.parametrize(
    ("options", "status", "field"),
    [
        ({"delimiter": ";"}, 400, "delimiter"),
        ({"separator": ";;"}, 400, "separator"),
        ({"decimal": "x"}, 400, "decimal"),
        ({"thousands": "_"}, 400, "thousands"),
        ({"header": -2}, 400, "header"),
        ({"header_rows": 0}, 400, "header_rows"),
        ({"column_types": {"prix": "money"}}, 400, "column_types.prix"),
        ({"columns": {"prix": {"decimal": ";"}}}, 400, "columns.prix.decimal"),
        ({"columns": {"prix": {"type": "string"}}}, 400, "columns.prix.type"),
        ({"missing_values": "NA"}, 400, "missing_values"),
        ({"column_types": {"price": "string"}}, 422, "column_types.price"),
        ({"columns": {"price": {"decimal": ","}}}, 422, "columns.price"),
        ({"encoding": "klingon"}, 422, "encoding"),
        ({"header": 99}, 422, "header"),
        ({"skip": 99}, 422, "skip"),
        ({"decimal": ",", "thousands": ","}, 422, "thousands"),
        ({"separator": "'", "quote": "'"}, 422, "quote"),
    ],
)
def test_an_option_that_makes_no_sense_is_told_by_its_field(sales, server, alice, options, status, field):
    folders = server.data_dir / "files" / "datasets", server.data_dir / "spool"
    there = [sorted(path.iterdir()) for path in folders if path.exists()]
    total = alice.get("/automl/api/datasets/").json()["total"]
    answer = reread(alice, sales, **options)
    assert answer.status_code == status, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert alice.get("/automl/api/datasets/").json()["total"] == total
    assert [sorted(path.iterdir()) for path in folders if path.exists()] == there


def test_nobody_reads_what_belongs_to_another(sales, bob):
    assert reread(bob, sales, decimal=",").status_code == 404


@pytest.mark.parametrize("filename", accepted())
def test_the_way_out_of_each_warning_can_be_taken(alice, filename):
    answer = alice.post(
        "/automl/api/upload/",
        params={"filename": filename},
        content=(FOLDER / filename).read_bytes(),
        headers={"Content-Type": "text/csv"},
    )
    if answer.status_code in (415, 422):
        assert answer.json()["code"].startswith("data.")
        return
    assert answer.status_code == 201, answer.text
    dataset = answer.json()
    for warning in dataset["warnings"]:
        if warning["action"] is None:
            continue
        again = reread(alice, dataset["id"], **warning["action"])
        assert again.status_code == 201, (warning, again.text)
        told = {(w["code"], w["column"]) for w in again.json()["warnings"]}
        assert (warning["code"], warning["column"]) not in told
        assert alice.delete(f"/automl/api/datasets/{again.json()['id']}/").status_code == 204


def test_a_file_that_lies_elsewhere_is_read_again(start_server, verbs, tmp_path):
    away = start_server(tmp_path, "--IdentityProvider.token=secret", "--AutoML.storage_url=memory://kept")
    try:
        with away.client("secret") as client:
            first = verbs.upload(client, SALES.encode(), "sales.csv")
            answer = reread(client, first, column_types={"code postal": "integer"})
            assert answer.status_code == 201, answer.text
            assert first_row(client, answer.json()["id"])[0] == 1000
            again = reread(client, answer.json()["id"], decimal=",")
            assert again.json()["dialect"]["overrides"]["column_types"] == {"code postal": "integer"}
        left = [path.name for path in (away.data_dir / "spool").rglob("*") if path.is_file()]
        assert left == ["alive.lock"]
    finally:
        away.stop()


@pytest.mark.slow
def test_what_was_decided_holds_for_files_to_predict(alice, verbs):
    """Thousands or fractions: a file alone does not say; whoever trained has decided it for those to come."""
    lines = [f"{1 + i % 9}.{i % 7}00,{(1000 * (1 + i % 9)) + 100 * (i % 7)}" for i in range(90)]
    dataset = verbs.upload(alice, ("size,price\n" + "\n".join(lines) + "\n").encode(), "prices.csv")
    assert first_row(alice, dataset)[0] == 1.0
    body = reread(alice, dataset, columns={"size": {"decimal": ",", "thousands": "."}}).json()
    assert first_row(alice, body["id"])[0] == 1000
    job = verbs.train(alice, body["id"], target="price", task="regression", time_budget=20, name="prices")
    assert verbs.ended(alice, job)["state"] == "done"
    new = b"size\n2.000\n5.300\n8.600\n"
    answer = alice.post("/automl/api/predict/prices/", content=new, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text
    found = [float(line.split(",")[0]) for line in answer.text.splitlines()[1:]]
    assert found == pytest.approx([2000, 5300, 8600], rel=0.2)
    assert "size" not in answer.text
