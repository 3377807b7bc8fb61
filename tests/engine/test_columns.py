import json
import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl_jupyter.engine import cells, columns, preprocess, synthetic_example
from automl_jupyter.engine.contract import Contract

ROWS = 60


def kinds(table):
    return {column.name: column.kind for column in columns.learn(table)}


def test_columns_are_taken_for_what_they_are():
    n = ROWS
    table = pd.DataFrame(
        {
            "number": np.linspace(0, 1, n),
            "number as text": [f" {i}.5 " for i in range(n)],
            "postcode": [f"0{i % 7}100" for i in range(n)],
            "yes": [i % 3 == 0 for i in range(n)],
            "word": [["red", "blue"][i % 2] for i in range(n)],
            "iso": [f"2024-01-{i % 28 + 1:02}" for i in range(n)],
            "european": [f"{i % 28 + 1}/03/2024" for i in range(n)],
            "american": [f"03/{i % 28 + 1}/2024" for i in range(n)],
            "sentence": [f"the {i} quick brown foxes jump" for i in range(n)],
            "key": [f"key-{i}" for i in range(n)],
            "one": [1] * n,
            "nothing": [None] * n,
            "blank": [" "] * n,
            "nullable": pd.array([1, None] * (n // 2), dtype="Int64"),
        }
    )
    assert kinds(table) == {
        "number": "numeric",
        "number as text": "numeric",
        "postcode": "category",
        "yes": "boolean",
        "word": "category",
        "iso": "datetime",
        "european": "datetime",
        "american": "datetime",
        "sentence": "text",
        "key": "ignored",
        "one": "ignored",
        "nothing": "ignored",
        "blank": "ignored",
        "nullable": "numeric",
    }


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("2024-02-01", "", datetime(2024, 2, 1, tzinfo=UTC)),
        ("2024-02-01T10:30:00+02:00", "", datetime(2024, 2, 1, 8, 30, tzinfo=UTC)),
        ("01/02/2024", "%d/%m/%Y", datetime(2024, 2, 1, tzinfo=UTC)),
        ("2024-02-01", "%d/%m/%Y", datetime(2024, 2, 1, tzinfo=UTC)),
    ],
)
def test_dates_are_read_in_the_form_that_was_learnt(text, form, expected):
    assert cells.read_date(text, form) == expected.timestamp()


def test_the_form_of_dates_is_the_one_that_all_of_them_fit():
    assert cells.find_date_format(["03/04/2024", "03/25/2024"] * 20) == "%m/%d/%Y"
    assert cells.find_date_format(["03/04/2024", "25/03/2024"] * 20) == "%d/%m/%Y"
    assert cells.find_date_format(["20240304"] * 20) is None


cell_values = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(10**40), 10**40),
    st.booleans(),
    st.text(max_size=5),
    st.sampled_from(["red", "blue", "1.5", "yes", "2024-01-05", "nan", "1e999", " "]),
)


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.fixed_dictionaries(dict.fromkeys("ncbdt", cell_values)), min_size=1, max_size=8))
def test_a_row_means_the_same_alone_and_in_a_table(rows):
    train = pd.DataFrame(
        {
            "n": np.linspace(-5, 5, ROWS),
            "c": ["red", "blue", "green"] * (ROWS // 3),
            "b": [True, False] * (ROWS // 2),
            "d": pd.date_range("2024-01-01", periods=ROWS),
            "t": [f"a few words here {i}" for i in range(ROWS)],
        }
    )
    plan = columns.layout(columns.learn(train))
    preprocessor, _ = preprocess.fit(plan, columns.read_frame(plan, train)[0])
    together, found = columns.read_frame(plan, pd.DataFrame(rows, dtype=object))
    alone = [columns.read_rows(plan, [row]) for row in rows]
    for i, (one, warnings) in enumerate(alone):
        for view in ("tree", "linear"):
            expected = preprocessor.views(together)[view][i]
            assert np.array_equal(preprocessor.views(one)[view][0], expected, equal_nan=True)
            assert not np.isinf(expected).any()
        of_table = [(w.code, w.column) for w, where in found if i in where]
        assert sorted((w.code, w.column) for w in warnings[0]) == sorted(of_table)


def test_every_departure_from_the_contract_is_reported(mixed):
    table, _ = mixed
    plan = columns.layout(columns.learn(table))
    good = {"size": 10.0, "count": 3, "colour": "red", "on": True, "when": "2021-04-01", "remark": "late"}
    rows = [
        good,
        {**good, "colour": "mauve"},
        {**good, "size": "large", "when": "soon", "on": "perhaps"},
        {**good, "count": 10_000},
        {k: v for k, v in good.items() if k != "size"},
        dict.fromkeys(good),
    ]
    _, warnings = columns.read_rows(plan, rows)
    assert [sorted((w.code.partition(".")[2], w.column) for w in row) for row in warnings] == [
        [],
        [("unseen_category", "colour")],
        [("unparseable_value", "on"), ("unparseable_value", "size"), ("unparseable_value", "when")],
        [("out_of_range", "count")],
        [("missing_column", "size")],
        [],
    ]
    assert warnings[1][0].value == "mauve"


def test_a_contract_survives_json_and_makes_rows_that_fit_it(mixed):
    table, _ = mixed
    learnt = columns.learn(table)
    contract = Contract(learnt, "binary", "value", (False, True))
    assert Contract.from_dict(json.loads(json.dumps(contract.to_dict()))) == contract
    rows = synthetic_example(contract, 4)
    assert json.loads(json.dumps(rows)) == rows
    _, warnings = columns.read_rows(columns.layout(learnt), rows)
    assert warnings == [[], [], [], []]


def test_made_up_rows_do_not_name_what_could_be_people():
    table = pd.DataFrame({"who": [f"person {i // 2}" for i in range(200)]})
    assert "person" not in str(synthetic_example(Contract(columns.learn(table), "regression"), 5))


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_numbers_are_read_from_what_they_print(number):
    assert cells.read_number(str(number)) == float(number)
    assert cells.read_label(float(number)) == cells.read_label(
        int(number) if number == int(number) else number
    )


def test_missing_is_missing_whatever_it_is_called():
    for value in (None, math.nan, pd.NA, pd.NaT, np.datetime64("NaT"), "", " \t", np.float32("nan")):
        assert cells.is_missing(value)
        assert cells.read_label(value) is None
    for value in (0, False, "0", "nan", [], 0.0):
        assert not cells.is_missing(value)
