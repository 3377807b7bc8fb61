"""The ONNX graph says what the quick model says, whatever the cells are."""

import sys
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from automl_jupyter.engine import (
    AutoMLClassifier,
    AutoMLClusterer,
    AutoMLRegressor,
    portfolio,
    search,
    to_onnx,
)
from automl_jupyter.engine.ensemble import Ensemble, Member
from automl_jupyter.engine.merging import merged
from automl_jupyter.engine.onnx_graph import Graph, parts_of_moment
from automl_jupyter.engine.onnx_trees import rounded_down
from automl_jupyter.errors import Unprocessable

QUICK = ("lightgbm_quick", "linear", "forest", "neighbours")
TASKS = ("binary", "multiclass", "regression")
LETTERS = [f"town {i}" for i in range(40)]
NUMBERS, GAPS = ["size", "value", "huge"], [np.nan, -999.0, np.inf, -np.inf, 0.0, 1e-35, -1e-35]
MICROSECONDS = 1_000_000


def made(n, seed):
    """Columns of all kinds; two of them are called as what the graph gives."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "size": rng.normal(0, 1, n),
            "value": np.round(rng.normal(0, 3, n)),
            "huge": 2.0**45 + rng.integers(0, 10**6, n),
            "label": rng.choice(LETTERS, n),
            "été : l'habitat": rng.choice(["mer", "", "montagne", "?"], n),
            "on": (rng.random(n) > 0.4).astype(float),
            "when": (rng.integers(0, 4 * 10**8, n) * MICROSECONDS).astype("datetime64[us]"),
        }
    )
    table["on"] = table["on"].astype(bool)
    table.loc[rng.random(n) < 0.1, "size"] = np.nan
    table.loc[rng.random(n) < 0.05, "value"] = -999.0
    return table


def target_of(table, task):
    town = table["label"].str[5:].astype(int)
    signal = table["size"].fillna(1) + 2 * (town % 3 == 0) + table["on"] + (table["when"].dt.month > 6)
    signal = signal + (table["huge"] - 2.0**45) / 10**6
    if task == "regression":
        return 1000 + 50 * signal
    cut = np.digitize(signal, [1.5, 3] if task == "multiclass" else [2.8])
    names = ["low", "middle", "high"] if task == "multiclass" else [3, 7]
    return pd.Series(cut).map(dict(enumerate(names)))


class Both:
    """A fitted model and its graph."""

    def __init__(self, task):
        table = made(300, 5)
        kind = AutoMLRegressor if task == "regression" else AutoMLClassifier
        # The metric has the decision factors tuned.
        metric = "auto" if task == "regression" else "f1_macro"
        self.model = kind(time_budget=60, max_trials=4, metric=metric, max_predict_ms=1e-9)
        marks = {"value": [-999], "été : l'habitat": ["?"]}
        self.model.fit(table, target_of(table, task), missing_values=marks)
        self.file = to_onnx(self.model)
        self.session = onnxruntime.InferenceSession(self.file, providers=["CPUExecutionProvider"])

    def agree(self, table, run=None):
        said = self.model.predict_frame(table)
        assert said.answered_by == "fast"
        found = (run or self.session.run)(None, fed(table))
        if said.probabilities is None:
            spread = self.model.target_.scale
            assert np.abs(found[0] - said.values).max() <= 1e-5 * spread
        else:
            assert found[0].tolist() == said.values
            assert np.abs(found[1] - said.probabilities).max() <= 1e-5


def fed(table):
    """The cells as the graph takes them."""
    seconds = table["when"].astype("datetime64[us]").astype("int64").to_numpy() / MICROSECONDS
    feed = {name: table[[name]].to_numpy(np.float64) for name in [*NUMBERS, "on"]}
    feed |= {name: table[[name]].fillna("").to_numpy(object) for name in ("label", "été : l'habitat")}
    return feed | {"when": np.where(table["when"].isna(), np.nan, seconds)[:, None]}


@pytest.fixture(scope="module", params=TASKS)
def both(request):
    quick = tuple(c for c in portfolio.PORTFOLIO if c.name in QUICK)
    few = replace(portfolio.FAST, params={**portfolio.FAST.params, "rounds": 40})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portfolio, "PORTFOLIO", quick)
        patch.setattr(search, "FAST", few)
        return Both(request.param)


numbers = st.one_of(st.sampled_from(GAPS), st.floats(-5, 5), st.floats(width=32), st.floats())
rows = st.lists(
    st.fixed_dictionaries(
        {
            "size": numbers,
            "value": numbers,
            "huge": st.one_of(st.floats(2.0**45, 2.0**45 + 10**6), numbers),
            "label": st.one_of(
                st.sampled_from([*LETTERS, None, ""]), st.text(max_size=3).map("new {}".format)
            ),
            "été : l'habitat": st.sampled_from(["mer", "montagne", "Mer", "?", None, "désert"]),
            "on": st.sampled_from([0.0, 1.0, np.nan, 2.0]),
            "when": st.none() | st.integers(-(10**16), 10**16),
        }
    ),
    min_size=9,
    max_size=40,
)


@pytest.mark.slow
@given(rows)
@settings(max_examples=30, deadline=None)
def test_it_agrees_with_the_quick_model_whatever_the_cells(both, cells):
    table = pd.DataFrame(cells)
    moments = [
        np.datetime64("NaT" if cell is None else cell, "us") for cell in (row["when"] for row in cells)
    ]
    both.agree(table.assign(when=np.array(moments)))


@pytest.mark.slow
def test_it_agrees_on_either_side_of_every_threshold(both):
    trees = both.model.fast_.members[0].models[0].trees.booster.trees_to_dataframe()
    thresholds = trees.loc[trees["split_feature"] == "Column_0", "threshold"].astype(np.float64)
    close = thresholds.unique().astype(np.float32)
    ends = np.float32([-np.inf, np.inf])
    cells = np.concatenate([np.nextafter(close, ends[0]), close, np.nextafter(close, ends[1])])
    assert len(cells) > 30
    both.agree(made(len(cells), 1).assign(size=cells.astype(np.float64)))


@pytest.mark.slow
def test_another_runtime_reads_it_alike(both):
    both.agree(made(60, 2), ReferenceEvaluator(both.file).run)


@pytest.mark.slow
def test_it_tells_what_it_takes_and_gives(both):
    taken = {given.name: (given.type, given.shape) for given in both.session.get_inputs()}
    assert set(taken) == {column.name for column in both.model.contract_.used}
    assert taken["size"] == ("tensor(double)", ["rows", 1])
    assert taken["label"] == ("tensor(string)", ["rows", 1])
    # The columns keep their names; what is given makes way.
    names = [given.name for given in both.session.get_outputs()]
    assert names == (["value_"] if both.model.task_ == "regression" else ["label_", "probabilities"])
    assert both.session.get_modelmeta().custom_metadata_map["task"] == both.model.task_


@pytest.mark.slow
def test_models_of_several_folds_are_one_graph(both):
    one = both.model.fast_.members[0].models[0]
    joined = merged([replace(one, rounds=3), replace(one, rounds=one.rounds)])
    alone = both.model.fast_
    several = Ensemble(alone.task, (Member("fast", 1.0, joined),))
    try:
        both.model.fast_ = several
        session = onnxruntime.InferenceSession(to_onnx(both.model), providers=["CPUExecutionProvider"])
        both.agree(made(50, 3), session.run)
    finally:
        both.model.fast_ = alone


@given(st.floats(), st.floats(width=32))
def test_a_threshold_in_single_precision_divides_alike(threshold, x):
    (single,) = rounded_down(np.array([threshold]))
    assert (np.float32(x) <= single) == (x <= threshold)


@pytest.fixture(scope="module")
def calendar():
    graph = Graph({"seconds"})
    given = onnx.helper.make_tensor_value_info("seconds", onnx.TensorProto.DOUBLE, ["rows", 1])
    name = graph.give(parts_of_moment(graph, "seconds"), "parts")
    parts = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["rows", 7])
    file = graph.model([given], [parts], {})
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


@given(st.lists(st.integers(-59_000_000_000, 249_000_000_000), min_size=1), st.floats(0, 0.999))
def test_moments_have_the_parts_that_pandas_tells(calendar, seconds, more):
    whole = pd.Series(np.array(seconds).astype("datetime64[s]"))
    moments = np.array(seconds) + np.where(np.array(seconds) >= 0, more, 0)
    (found,) = calendar.run(None, {"seconds": moments[:, None]})
    at = whole.dt
    expected = [at.year, at.month, at.day, at.day_of_week, at.day_of_year]
    assert np.array_equal(found[:, 1:6], np.column_stack(expected))
    assert np.allclose(found[:, 0], moments / 86_400, rtol=1e-15)
    assert np.allclose(
        found[:, 6], at.hour + at.minute / 60 + (at.second + moments - seconds) / 3600, atol=1e-7
    )


def test_what_cannot_be_written_is_said(mixed, one_of_each, monkeypatch):
    X, y = mixed
    with pytest.raises(Unprocessable, match="remark"):
        to_onnx(AutoMLRegressor(time_budget=60, max_trials=1).fit(X, y))
    without = AutoMLRegressor(time_budget=60, max_trials=1).fit(X[["size", "colour"]], y)
    for model in (without, AutoMLClusterer()):
        with pytest.raises(Unprocessable, match="no quick model"):
            to_onnx(model)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(Unprocessable, match="automl_jupyter\\[onnx\\]"):
        to_onnx(without)
