"""Rows become JSON, whatever kinds of values Python, NumPy and pandas put into them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl_jupyter.client.values import cell, records


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("é"), "é"),
        (float("nan"), None),
        (float("inf"), None),
        (np.float64("nan"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (None, None),
        (True, True),
        (Decimal("1.5"), 1.5),
        (date(2013, 7, 4), "2013-07-04"),
        (datetime(2013, 7, 4, 12, tzinfo=UTC), "2013-07-04T12:00:00+00:00"),
        (pd.Timestamp("2013-07-04 12:30"), "2013-07-04T12:30:00"),
        (np.datetime64("2013-07-04"), "2013-07-04"),
        ("", ""),
    ],
)
def test_each_kind_of_value_has_its_json(value: object, expected: object) -> None:
    assert cell(value) == expected
    assert type(cell(value)) is type(expected)


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dates(), st.datetimes(), st.decimals()
)


@given(st.lists(st.dictionaries(st.text(), anything), min_size=1))
def test_rows_are_always_strict_json(rows: list[dict[str, object]]) -> None:
    assert len(json.loads(json.dumps(records(rows), allow_nan=False))) == len(rows)


def test_a_data_frame_becomes_rows_without_its_index() -> None:
    frame = pd.DataFrame(
        {
            "number": [0.1, None],
            "day": pd.to_datetime(["2013-07-04", None]),
            "kind": pd.Categorical(["a", None]),
            "whole": pd.array([1, None], dtype="Int64"),
            "text": ["é", None],
        },
        index=["r", "s"],
    )
    first, second = records(frame)
    assert (first["number"], first["kind"], first["whole"], first["text"]) == (0.1, "a", 1, "é")
    assert str(first["day"]).startswith("2013-07-04T00:00:00")
    assert second == dict.fromkeys(frame.columns)
