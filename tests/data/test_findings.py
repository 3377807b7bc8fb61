"""What is wrong with a table is found, and nothing is found where nothing is wrong."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import automl_jupyter.data.findings
from automl_jupyter import errors, messages
from automl_jupyter.data.findings import findings
from automl_jupyter.data.findings.sample import quantiles
from automl_jupyter.data.read import convert

LEAKS = {"leak_copy", "leak_strong", "leak_missing", "leak_missing_number", "id_tells"}
CLEAN = (
    "diamonds",
    "california_housing",
    "vehicle",
    "satimage",
    "wine_quality",
    "spambase",
    "credit_g",
    "car_evaluation",
    "ames_housing",
    "bike_sharing_hour",
)


def clean(seed: int = 0, rows: int = 600) -> dict[str, list]:
    """An ordinary table: noisy numbers, amounts, counts, categories, gaps; `y` and `amount` follow."""
    r = np.random.default_rng(seed)
    x, z = r.normal(size=rows), r.normal(size=rows)
    city = r.choice(["Lyon", "Oslo", "Graz", "Bari"], rows, p=[0.4, 0.3, 0.2, 0.1])
    chance = 1 / (1 + np.exp(-(x - 0.7 * z + (city == "Lyon"))))
    return {
        "weight": [f"{v:.3f}" for v in 70 + 10 * x],
        "length": [f"{v:.2f}" for v in 30 + 4 * z],
        "income": [f"{v:.0f}" for v in np.exp(10 + 0.6 * r.normal(size=rows))],
        "visits": r.poisson(4, rows).tolist(),
        "city": city.tolist(),
        "member": r.choice(["yes", "no"], rows).tolist(),
        "pressure": [f"{v:.1f}" if u > 0.1 else "" for v, u in zip(x * 5 + 90, r.random(rows), strict=True)],
        "y": np.where(r.random(rows) < chance, "ill", "well").tolist(),
        "amount": [f"{v:.2f}" for v in 100 + 9 * x + 5 * z + 9 * r.normal(size=rows)],
    }


@pytest.fixture
def look(tmp_path):
    """Write a table as CSV, read it as an upload would be, and look for findings."""

    def _look(table: dict[str, list], target: str | None, *, seed: int = 0):
        other = {"y": "amount", "amount": "y"}.get(target or "")
        kept = {name: values for name, values in table.items() if name != other}
        source = tmp_path / "table.csv"
        with source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(kept)
            writer.writerows(zip(*kept.values(), strict=True))
        read = convert(source, tmp_path / "table.parquet")
        return findings(tmp_path / "table.parquet", read.columns, target, seed=seed)

    return _look


def told(found) -> list[tuple[str, str | None]]:
    return [(one.code.removeprefix("findings."), one.column) for one in found]


def repeat(table: dict[str, list], rows: list[int]) -> dict[str, list]:
    return {name: values + [values[i] for i in rows] for name, values in table.items()}


@pytest.mark.parametrize("target", ["y", "amount", None])
@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_said_of_a_clean_table(look, seed, target):
    assert told(look(clean(seed), target, seed=seed)) == []


# Each defect planted in a clean table of the same seed, with the target and all that must be found.


def copy_of_classes(t, r):
    t["result"] = [{"ill": "K1", "well": "K2"}[v] for v in t["y"]]
    return "y", {("leak_copy", "result")}


def copy_of_quantity(t, r):
    t["in_euros"] = [f"{float(v) * 1.17 + 3:.4f}" for v in t["amount"]]
    return "amount", {("leak_copy", "in_euros")}


def mirrored_quantity(t, r):
    t["left"] = [f"{500 - float(v):.2f}" for v in t["amount"]]
    return "amount", {("leak_copy", "left")}


def nearly_the_quantity(t, r):
    t["paid"] = [f"{float(v) + 0.3 * r.normal():.2f}" for v in t["amount"]]
    return "amount", {("leak_strong", "paid")}


def nearly_the_classes(t, r):
    t["score"] = [f"{(v == 'ill') * 4 + r.normal() * 0.6:.3f}" for v in t["y"]]
    return "y", {("leak_strong", "score")}


def finer_classes(t, r):
    t["detail"] = [v + r.choice([" a", " b", " c"]) for v in t["y"]]
    return "y", {("leak_strong", "detail")}


def filled_in_for_one_class(t, r):
    t["ward"] = [r.choice(["north", "south", "east"]) if v == "ill" else "" for v in t["y"]]
    return "y", {("leak_missing", "ward")}


def filled_in_for_some_of_one_class(t, r):
    t["ward"] = [f"{r.random():.3f}" if v == "ill" and r.random() < 0.3 else "" for v in t["y"]]
    return "y", {("leak_missing", "ward")}


def filled_in_for_large_amounts(t, r):
    high = np.median([float(v) for v in t["amount"]])
    t["checked"] = [f"{r.random():.3f}" if float(v) > high else "" for v in t["amount"]]
    return "amount", {("leak_missing_number", "checked")}


def sorted_with_numbers(t, r):
    order = np.argsort(t["y"], kind="stable")
    for name in list(t):
        t[name] = [t[name][i] for i in order]
    t["row_id"] = list(range(1000, 1000 + len(order)))
    return "y", {("id_tells", "row_id"), ("sorted_by_target", "y")}


def numbered_by_class(t, r):
    t["case"] = [
        f"{'K' if v == 'ill' else 'W'}{i:05d}" for v, i in zip(t["y"], r.permutation(600), strict=True)
    ]
    return "y", {("id_tells", "case")}


def repeated_rows(t, r):
    t.update(repeat(t, r.choice(600, 30).tolist()))
    return "y", {("duplicates", None)}


def repeated_but_for_an_id(t, r):
    t.update(repeat(t, r.choice(600, 30).tolist()))
    t["code"] = [f"A{v:06d}" for v in r.permutation(900_000)[: len(t["y"])]]
    return "y", {("near_duplicates", "code"), ("id", "code")}


def repeated_but_for_a_number(t, r):
    t.update(repeat(t, r.choice(600, 30).tolist()))
    t["measured"] = [f"{v:.9f}" for v in r.random(len(t["y"]))]
    return "y", {("near_duplicates", "measured")}


def groups_of_one_outcome(t, r):
    group = r.integers(0, 80, 600)
    of_group = r.choice(["ill", "well"], 80)
    t["patient_id"], t["y"] = [f"P{g:03d}" for g in group], of_group[group].tolist()
    return "y", {("groups", "patient_id")}


def numbered_groups_of_like_amounts(t, r):
    group = r.integers(0, 60, 600)
    of_group = r.normal(100, 20, 60)
    t["household"] = (group + 1000).tolist()
    t["amount"] = [f"{of_group[g] + r.normal():.2f}" for g in group]
    return "amount", {("groups", "household")}


def amounts_that_wander_in_time(t, r):
    t["day"] = [(date(2021, 1, 1) + timedelta(days=i)).isoformat() for i in range(600)]
    t["amount"] = [f"{v:.2f}" for v in 100 + np.cumsum(r.normal(size=600))]
    return "amount", {("time_order", "day")}


def classes_that_wander_in_time_unsorted(t, r):
    day = r.permutation(600)
    wave = np.sin(np.arange(600) / 20) > 0
    t["day"] = [(date(2021, 1, 1) + timedelta(days=int(i))).isoformat() for i in day]
    t["y"] = ["ill" if wave[i] ^ (r.random() < 0.1) else "well" for i in day]
    return "y", {("time_order", "day")}


def constant(t, r):
    t["country"] = ["FR"] * 600
    return "y", {("constant", "country")}


def empty(t, r):
    t["remark"] = [""] * 600
    return "y", {("empty", "remark")}


def unique_names(t, r):
    t["order_id"] = r.permutation(100_000)[:600].tolist()
    return "y", {("id", "order_id")}


def rare_class(t, r):
    t["y"] = ["ill" if i % 40 == 0 else "well" for i in range(600)]
    return "y", {("imbalance", "y")}


def class_of_few_rows(t, r):
    t["y"] = ["odd" if i % 150 == 0 else v for i, v in enumerate(t["y"])]
    return "y", {("few_rows_in_class", "y")}


def few_rows(t, r):
    for name in t:
        t[name] = t[name][:120]
    return "y", {("few_rows", None)}


def minus_999(t, r):
    t["weight"] = ["-999" if u < 0.05 else v for v, u in zip(t["weight"], r.random(600), strict=True)]
    return "y", {("disguised_missing", "weight")}


def nines(t, r):
    t["visits"] = [9999 if u < 0.03 else v for v, u in zip(t["visits"], r.random(600), strict=True)]
    return "y", {("disguised_missing", "visits")}


def minus_one(t, r):
    t["visits"] = [-1 if u < 0.1 else v for v, u in zip(t["visits"], r.random(600), strict=True)]
    t["visits"][7] = 12
    return "y", {("disguised_missing", "visits")}


def no_day(t, r):
    days = [(date(2021, 1, 1) + timedelta(days=int(i))).isoformat() for i in r.permutation(600)]
    t["day"] = ["1900-01-01" if u < 0.05 else v for v, u in zip(days, r.random(600), strict=True)]
    return "y", {("disguised_missing", "day")}


def unknown(t, r):
    t["city"] = ["unknown" if u < 0.05 else v for v, u in zip(t["city"], r.random(600), strict=True)]
    return "y", {("disguised_word", "city")}


def words_among_numbers(t, r):
    t["visits"] = ["many" if u < 0.05 else v for v, u in zip(t["visits"], r.random(600), strict=True)]
    return "y", {("mixed_types", "visits")}


def drifting(t, r):
    t["length"] = [f"{float(v) + i / 40:.2f}" for i, v in enumerate(t["length"])]
    return "y", {("drift", "length")}


def slip_of_the_pen(t, r):
    t["weight"][100] = "70125.000"
    return "y", {("outliers", "weight")}


def in_other_units(t, r):
    t["pounds"] = [f"{float(v) * 2.20462:.9f}" for v in t["weight"]]
    return "y", {("copies", "weight")}


def in_other_words(t, r):
    t["ort"] = [v.upper() for v in t["city"]]
    return "y", {("copies", "city")}


DEFECTS = (
    copy_of_classes,
    copy_of_quantity,
    mirrored_quantity,
    nearly_the_quantity,
    nearly_the_classes,
    finer_classes,
    filled_in_for_one_class,
    filled_in_for_some_of_one_class,
    filled_in_for_large_amounts,
    sorted_with_numbers,
    numbered_by_class,
    repeated_rows,
    repeated_but_for_an_id,
    repeated_but_for_a_number,
    groups_of_one_outcome,
    numbered_groups_of_like_amounts,
    amounts_that_wander_in_time,
    classes_that_wander_in_time_unsorted,
    constant,
    empty,
    unique_names,
    rare_class,
    class_of_few_rows,
    few_rows,
    minus_999,
    nines,
    minus_one,
    no_day,
    unknown,
    words_among_numbers,
    drifting,
    slip_of_the_pen,
    in_other_units,
    in_other_words,
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_a_planted_defect_is_found_and_nothing_else(look, defect, seed):
    table = clean(seed)
    target, expected = defect(table, np.random.default_rng(100 + seed))
    found = look(table, target, seed=seed)
    assert set(told(found)) == expected
    for one in found:
        assert not {"exclude", "groups", "time_column"} & set(one.action or {}) or one.column or one.columns
        json.dumps([one.params, one.evidence, one.action])
        for language in messages.LANGUAGES:
            assert one.column is None or one.column in messages.render(one.code, one.params, language)


def test_acting_on_a_leak_settles_it(look):
    table = clean()
    copy_of_classes(table, np.random.default_rng(0))
    filled_in_for_one_class(table, np.random.default_rng(0))
    found = look(table, "y")
    assert {one.column for one in found} == {"result", "ward"}
    for one in found:
        for name in one.action["exclude"]:
            del table[name]
    assert look(table, "y") == []


def test_the_evidence_is_what_the_file_says(look):
    table = clean()
    slip_of_the_pen(table, np.random.default_rng(0))
    (one,) = look(table, "y")
    assert one.evidence["values"] == ["70125"]
    assert float(one.evidence["farthest_of_the_others"]) == max(
        float(v) for v in table["weight"] if v != "70125.000"
    )
    table = clean()
    minus_999(table, np.random.default_rng(0))
    (one,) = look(table, "y")
    assert one.evidence["cells"] == table["weight"].count("-999")
    assert one.action == {"missing_values": {"weight": ["-999"]}}


def test_the_same_seed_finds_the_same(look):
    table = clean(3)
    amounts_that_wander_in_time(table, np.random.default_rng(3))
    assert look(table, "amount", seed=5) == look(table, "amount", seed=5)


def test_the_most_serious_comes_first(look):
    table = clean()
    for defect in (constant, slip_of_the_pen, copy_of_classes, unknown):
        defect(table, np.random.default_rng(0))
    severities = [one.severity for one in look(table, "y")]
    assert severities == sorted(severities, key=("serious", "warning", "info").index)
    assert len(severities) == 4


def test_strong_columns_that_are_not_alone_are_no_leak(look):
    """Two measurements that both nearly tell the class, as petals do of irises."""
    r = np.random.default_rng(0)
    kind = np.repeat(np.arange(3), 50)
    table = {
        "petal_length": [f"{v:.1f}" for v in np.array([1.5, 4.3, 5.6])[kind] + 0.35 * r.normal(size=150)],
        "petal_width": [f"{v:.1f}" for v in np.array([0.2, 1.3, 2.0])[kind] + 0.18 * r.normal(size=150)],
        "sepal_length": [f"{v:.1f}" for v in np.array([5.0, 5.9, 6.5])[kind] + 0.5 * r.normal(size=150)],
        "species": np.array(["setosa", "versicolor", "virginica"])[kind].tolist(),
    }
    assert not LEAKS & {code for code, _ in told(look(table, "species"))}


def test_a_place_with_its_own_prices_is_no_group(look):
    table = clean()
    r = np.random.default_rng(0)
    place = r.integers(0, 25, 600)
    table["place"] = [f"{'ABCDE'[p % 5]}ville {'NSWEM'[p // 5]}-by-the-sea" for p in place]
    table["amount"] = [f"{v:.2f}" for v in 100 + 10 * r.normal(size=25)[place] + 3 * r.normal(size=600)]
    assert told(look(table, "amount")) == []


def test_many_small_categories_do_not_drift(look):
    table = clean(rows=240)
    r = np.random.default_rng(0)
    for name in ("street", "maker", "shop"):
        table[name] = [f"{name} of {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[i]}" for i in r.integers(0, 26, 240)]
    assert told(look(table, "y")) == []


def test_several_leaks_do_not_hide_each_other(look):
    table = clean()
    r = np.random.default_rng(0)
    for name in ("first", "second"):
        table[name] = [f"{(v == 'ill') * 6 + r.normal() * 0.6:.3f}" for v in table["y"]]
        table[f"{name}_date"] = [f"2021-01-{r.integers(1, 29):02d}" if v == "ill" else "" for v in table["y"]]
    found = told(look(table, "y"))
    assert set(found) == {
        ("leak_strong", "first"),
        ("leak_strong", "second"),
        ("leak_missing", "first_date"),
        ("leak_missing", "second_date"),
    }


def test_repeated_rows_are_counted_among_all_rows_of_a_large_table(look):
    r = np.random.default_rng(0)
    table = {"a": r.normal(size=70_000).tolist(), "b": r.integers(0, 9, 70_000).tolist()}
    table = repeat(table, [3, 3, 69_000])
    (one,) = [found for found in look(table, None) if found.code == "findings.duplicates"]
    assert one.evidence["repeated_rows"] == 3
    assert one.evidence["rows_looked_at"] == 70_003
    assert one.evidence["example_rows"] == [4, 70_001]


def test_columns_may_be_told_as_mappings(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1.0, 2.0, None], "b": ["x", "x", "x"]}), path)
    columns = [
        {"name": "a", "type": "number", "role": "numeric", "missing": 1, "distinct": 2},
        {"name": "b", "type": "string", "role": "constant", "missing": 0, "distinct": 1},
    ]
    assert told(findings(path, columns, None)) == [("few_rows", None), ("constant", "b")]
    with pytest.raises(errors.Unprocessable) as caught:
        findings(path, columns, "c")
    assert caught.value.code == "data.unknown_column"


cell = st.sampled_from(
    ["", "0", "1", "-1", "999", "1e308", "-1e308", "inf", "x", "n/a", "2021-01-01", "true", "é", "0.1"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_table_is_looked_at_without_an_error(look, data):
    width, rows = data.draw(st.integers(1, 4)), data.draw(st.sampled_from([1, 2, 5, 45, 250]))
    r = np.random.default_rng(data.draw(st.integers(0, 1000)))
    table = {}
    for index in range(width):
        values = data.draw(st.lists(cell, min_size=1, max_size=8))
        table[f"c{index}"] = [values[i] for i in r.integers(0, len(values), rows)]
    if all(not any(row) for row in zip(*table.values(), strict=True)):
        table["c0"][0] = "1"
    for target in (None, *table):
        for one in look(table, target):
            assert messages.render(one.code, one.params, "fr")
            json.dumps([one.params, one.evidence, one.action], allow_nan=False)


def test_pandas_is_not_needed():
    code = (
        "import sys, pyarrow as pa, pyarrow.parquet as pq, pathlib, tempfile\n"
        "from automl_jupyter.data.findings import findings\n"
        "path = pathlib.Path(tempfile.mkdtemp()) / 't.parquet'\n"
        "import numpy as np, io, csv\n"
        "from automl_jupyter.data.read import convert\n"
        "r = np.random.default_rng(0)\n"
        "lines = [f'{r.random()},{r.integers(9)},{\"ab\"[r.integers(2)]},2021-01-{i % 28 + 1:02d},true' "
        "for i in range(300)]\n"
        "source = path.with_suffix('.csv')\n"
        "source.write_text('a,b,c,d,e\\n' + '\\n'.join(lines))\n"
        "read = convert(source, path)\n"
        "findings(path, read.columns, 'c')\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_code_has_its_sentences():
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in Path(automl_jupyter.data.findings.__file__).parent.glob("*.py")
    )
    used = set(re.findall(r'"(findings\.[a-z_]+)"', source))
    for language in messages.LANGUAGES:
        text = (messages.LOCALE / language / "LC_MESSAGES" / "findings.po").read_text(encoding="utf-8")
        assert set(re.findall(r'^msgid "(findings\.\w+)"', text, re.MULTILINE)) == used
    assert not re.search(r"[^\s\u00a0][;:?!»%]|« | »", text.split("\n\n", 1)[1]), "French spaces"


# Real tables


@pytest.fixture(scope="session")
def of_table(shared_data, tmp_path_factory):
    """The findings of one of the real tables, for its usual target."""
    folder = tmp_path_factory.mktemp("findings")
    with (shared_data / "tables" / "manifest.csv").open(encoding="utf-8") as file:
        targets = {row["name"]: row["target"] for row in csv.DictReader(file)}

    def _found(name: str):
        read = convert(shared_data / "tables" / f"{name}.csv", folder / f"{name}.parquet")
        return findings(folder / f"{name}.parquet", read.columns, targets[name])

    return _found


def test_titanic_leaks_through_boat_and_body_alone(of_table):
    found = of_table("titanic")
    assert {one.column for one in found if one.code.removeprefix("findings.") in LEAKS} == {"boat", "body"}
    assert {one.column for one in found if one.severity == "serious"} == {"boat", "body"}
    assert all(one.action == {"exclude": [one.column]} for one in found if one.severity == "serious")


def test_what_was_measured_is_no_leak(of_table):
    found = told(of_table("sick"))
    assert ("empty", "TBG") in found
    assert not LEAKS & {code for code, _ in found}


@pytest.mark.parametrize("name", CLEAN)
def test_nothing_serious_is_said_of_clean_tables(of_table, name):
    found = of_table(name)
    serious = Counter(one.code for one in found if one.severity == "serious")
    assert not serious
    assert not LEAKS & {code for code, _ in told(found)}


def test_hours_of_two_years_are_in_order_of_time(of_table):
    assert ("time_order", "dteday") in told(of_table("bike_sharing_hour"))


def wide(path: Path, rows: int, columns: int) -> list[dict[str, object]]:
    r = np.random.default_rng(0)
    makers = (
        ("number", lambda: r.normal(size=rows)),
        ("integer", lambda: r.integers(0, 1000, rows)),
        ("string", lambda: np.array(["a", "b", "c", "d"])[r.integers(0, 4, rows)]),
        ("boolean", lambda: r.random(rows) > 0.5),
    )
    data, told_ = {}, []
    for index in range(columns):
        type_, make = makers[index % 4]
        data[f"c{index}"] = values = make()
        role = {"string": "category", "boolean": "boolean"}.get(type_, "numeric")
        told_.append(
            {
                "name": f"c{index}",
                "type": type_,
                "role": role,
                "missing": 0,
                "distinct": len(np.unique(values)),
            }
        )
    pq.write_table(pa.table(data), path, row_group_size=20_000)
    return told_


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(("rows", "columns", "most"), [(100_000, 50, 0), (60, 5000, 2)])
def test_large_and_wide_tables_are_bounded(tmp_path, rows, columns, most):
    told_ = wide(tmp_path / "t.parquet", rows, columns)
    for target in ("c0", "c3"):
        assert len(findings(tmp_path / "t.parquet", told_, target)) == most


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60), st.lists(st.floats(0, 1), min_size=1, max_size=5)
)
def test_quantiles_are_those_of_numpy(values, shares):
    assert quantiles(np.sort(values), shares).tolist() == np.quantile(values, shares).tolist()
