import pickle
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, make_friedman1

from automl_jupyter.engine import nn_train
from automl_jupyter.engine.learners import Clock, OutOfTime, Work
from automl_jupyter.engine.neural import fit_neural
from automl_jupyter.engine.nn_bins import learn_bins
from automl_jupyter.engine.nn_network import Design, Network, answer, softmax, start

PARAMS = {
    "hidden": (32, 32),
    "members": 3,
    "bins": 0,
    "rate": 8e-3,
    "decay": 0.02,
    "dropout": 0.1,
    "epochs": 30,
}
NEVER = Clock(np.inf, np.inf)


def a_work(X, y, task, width, **others):
    X, y = X.astype(np.float32), y.astype(np.float32 if task == "regression" else np.int32)
    return Work(X, y, task, width, X.shape[1], **{"seed": 0, "clock": NEVER, **others})


def of_quantities(n=600, **others):
    X, y = make_friedman1(n, 6, noise=0.5, random_state=0)
    return a_work((X - 0.5) / 0.29, (y - y.mean()) / y.std(), "regression", 1, **others)


def of_classes(n=400, width=3, **others):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 5))
    y = np.digitize(np.hypot(X[:, 0], X[:, 1]), np.linspace(0, 2.2, width + 1)[1:-1])
    return a_work(X, y, "binary" if width == 2 else "multiclass", width, **others)


def log_loss(model, work):
    q = model.predict(work.X)
    return -np.mean(np.log(q[np.arange(len(q)), work.y]))


def parted(work, rows):
    held = slice(rows, None)
    return replace(work, X=work.X[:rows], y=work.y[:rows], X_held=work.X[held], y_held=work.y[held])


@pytest.mark.parametrize("bins", [0, 8])
def test_a_smooth_quantity_is_learnt_better_than_by_a_straight_line(bins):
    work = parted(of_quantities(900), 600)
    model = fit_neural(work, {**PARAMS, "bins": bins, "epochs": 60}).models[-1]
    design = np.column_stack([work.X, np.ones(len(work.X))])
    line = np.linalg.lstsq(design, work.y)[0]
    straight = np.column_stack([work.X_held, np.ones(len(work.X_held))]) @ line
    error = np.mean((model.predict(work.X_held)[:, 0] - work.y_held) ** 2)
    assert error < 0.5 * np.mean((straight - work.y_held) ** 2)


def test_handwritten_digits_are_told_apart():
    X, y = load_digits(return_X_y=True)
    work = parted(a_work((X - 8) / 6, y, "multiclass", 10), 1300)
    model = fit_neural(work, PARAMS).models[-1]
    assert (model.predict(work.X_held).argmax(axis=1) == work.y_held).mean() > 0.93


@pytest.mark.parametrize("width", [2, 3, 7])
def test_answers_are_probabilities_for_each_class(width):
    work = of_classes(width=width)
    q = fit_neural(work, {**PARAMS, "epochs": 2}).models[-1].predict(work.X)
    assert q.shape == (len(work.X), width)
    assert q.dtype == np.float32
    assert (q >= 0).all()
    assert q.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("bins", [0, 8])
@pytest.mark.parametrize("make", [of_quantities, of_classes])
def test_a_row_alone_is_answered_as_in_a_table(make, bins):
    work = make(n=700)
    model = fit_neural(work, {**PARAMS, "epochs": 4, "bins": bins}).models[-1]
    together = model.predict(work.X)
    alone = np.vstack([model.predict(work.X[i : i + 1]) for i in range(0, 700, 23)])
    np.testing.assert_allclose(alone, together[::23], rtol=1e-5, atol=2e-6)


def test_nothing_is_answered_for_no_rows():
    work = of_classes()
    assert fit_neural(work, {**PARAMS, "epochs": 1}).models[-1].predict(work.X[:0]).shape == (0, 3)


def test_the_seed_alone_decides():
    work = of_classes()
    one, same = (fit_neural(work, {**PARAMS, "epochs": 3}).models[-1].predict(work.X) for _ in range(2))
    other = fit_neural(replace(work, seed=1), {**PARAMS, "epochs": 3}).models[-1].predict(work.X)
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_a_time_that_suffices_changes_nothing():
    work = of_classes(n=200)
    hurried = replace(work, clock=Clock(time.monotonic() + 600, np.inf))
    params = {**PARAMS, "epochs": 5}
    one, other = (fit_neural(w, params).models[-1].predict(work.X) for w in (work, hurried))
    assert np.array_equal(one, other)


def test_the_stages_are_where_the_rate_is_zero():
    path = fit_neural(of_quantities(), PARAMS)
    assert path.stages == (7, 20, 47, 100)
    assert all(nn_train.rate_at(end) < 1e-9 for end in nn_train.ENDS)
    assert nn_train.rate_at(0.0) == 0.0
    assert len({model.parameters.tobytes() for model in path.models}) == 4


def test_a_known_stage_is_gone_to_and_no_further():
    work = of_quantities()
    path, short = fit_neural(work, PARAMS), fit_neural(work, {**PARAMS, "stages": (20,)})
    assert short.stages == (7, 20)
    assert np.array_equal(short.models[-1].predict(work.X), path.models[1].predict(work.X))


@pytest.mark.alone
def test_a_share_of_time_is_kept_and_the_schedule_ends_in_it():
    work = of_quantities(3000)
    began = time.monotonic()
    path = fit_neural(replace(work, clock=Clock(began + 0.5, np.inf)), {**PARAMS, "epochs": 100_000})
    assert time.monotonic() - began < 2
    # Where the machine was busy it ends by the clock, with the rate at nothing.
    assert path.stages[-1] >= 97
    assert np.mean((path.models[-1].predict(work.X)[:, 0] - work.y) ** 2) < 0.5


def test_without_any_time_there_is_still_an_answer():
    work = of_classes(clock=Clock(0.0, np.inf))
    path = fit_neural(work, PARAMS)
    assert len(path.models) == 1
    frequencies = np.bincount(work.y) / len(work.y)
    assert path.models[0].predict(work.X[:2]) == pytest.approx(np.tile(frequencies, (2, 1)), abs=0.01)


def test_a_search_that_is_over_gives_the_fit_up():
    with pytest.raises(OutOfTime):
        fit_neural(of_classes(clock=Clock(np.inf, 0.0)), PARAMS)


def test_a_fit_that_only_learns_by_heart_is_ended():
    rng = np.random.default_rng(0)
    work = parted(a_work(rng.normal(size=(300, 40)), rng.integers(0, 2, 300), "binary", 2), 200)
    path = fit_neural(work, {**PARAMS, "dropout": 0.0, "epochs": 200})
    assert 1 < len(path.stages) < 4


def test_rows_without_weight_are_not_learnt_from():
    work = of_classes(n=600)
    lies = work.y.copy()
    lies[::2] = (lies[::2] + 1) % 3
    weights = np.where(np.arange(600) % 2 == 0, 0.0, 2.0)
    weighted = fit_neural(replace(work, y=lies, weights=weights), PARAMS).models[-1]
    misled = fit_neural(replace(work, y=lies), PARAMS).models[-1]
    assert log_loss(weighted, work) < 0.5 < log_loss(misled, work)


def test_a_model_survives_a_journey():
    work = of_classes()
    model = fit_neural(work, {**PARAMS, "bins": 4, "epochs": 2}).models[-1]
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(work.X), model.predict(work.X))
    assert 0 < model.bulk_cost < model.row_cost < 200


@pytest.mark.parametrize(("n", "p"), [(5, 3), (33, 1), (40, 0), (9, 200)])
def test_any_shape_will_do(n, p):
    rng = np.random.default_rng(0)
    work = a_work(rng.normal(size=(n, p)), np.arange(n) % 2, "binary", 2)
    q = fit_neural(work, {**PARAMS, "bins": 4, "epochs": 3}).models[-1].predict(work.X)
    assert q.shape == (n, 2)
    assert np.isfinite(q).all()


def test_long_tables_get_fewer_members():
    found = [
        fit_neural(of_quantities(n), {**PARAMS, "members": 8, "epochs": 1}).models[0].design.members
        for n in (100, 5000, 12_000)
    ]
    assert found == [8, 2, 1]


def test_numbers_far_out_stay_finite():
    work = of_quantities(200)
    X, y = work.X.copy(), work.y.copy()
    X[::50], y[7] = 8, 300
    model = fit_neural(replace(work, X=X, y=y), {**PARAMS, "bins": 4}).models[-1]
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("classes", [False, True])
def test_the_gradient_is_the_slope_of_the_loss(classes):
    rng = np.random.default_rng(3)
    design = Design(inputs=4, outputs=3, hidden=(6, 5), members=2)
    flat = start(design, np.zeros(3), rng) + rng.normal(0, 0.3, design.size).astype(np.float32)
    X, y = rng.normal(size=(7, 4)).astype(np.float32), rng.integers(0, 3, 7)
    truth = np.eye(3, dtype=np.float32)[y]

    def loss(at):
        z = Network(design, at.astype(np.float32), 7, 0.0, rng).scores(X)
        if classes:
            return -float(np.log(softmax(z)[:, np.arange(7), y].astype(np.float64)).sum())
        return 0.5 * float(((z - truth).astype(np.float64) ** 2).sum())

    network = Network(design, flat, 7, 0.0, rng)
    z = network.scores(X)
    network.learn(X, (softmax(z) if classes else z) - truth)
    for i in range(0, design.size, 5):
        step = np.zeros(design.size)
        step[i] = 1e-2
        slope = (loss(flat + step) - loss(flat - step)) / 2e-2
        assert network.gradient[i] == pytest.approx(slope, rel=0.02, abs=0.01), i


def test_members_answer_together_what_they_answer_on_their_own():
    rng = np.random.default_rng(0)
    design, alone = Design(4, 2, (8, 8), 3), Design(4, 2, (8, 8), 1)
    flat = start(design, np.zeros(2), rng) + rng.normal(0, 0.3, design.size).astype(np.float32)
    X = rng.normal(size=(9, 4)).astype(np.float32)
    answers = []
    for member in range(3):
        own = np.zeros(alone.size, np.float32)
        for name, part in alone.parts(own).items():
            shared = design.parts(flat)[name]
            part[:] = shared if shared.ndim == 2 else shared[member : member + 1]
        answers.append(answer(alone, own, X, True))
    np.testing.assert_allclose(answer(design, flat, X, True), np.mean(answers, axis=0), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-8, 8, width=32), min_size=3, max_size=60), st.integers(2, 12), st.floats(-100, 100)
)
def test_a_number_goes_through_its_bins_in_order(values, most, new):
    column = np.array(values, dtype=np.float32)[:, None]
    bins = learn_bins(column, most, 1000)
    wide = bins.widen(np.sort(np.append(column, np.float32(new)))[:, None].astype(np.float32))
    assert len(bins.columns) <= most
    assert ((wide[:, 1:] >= 0) & (wide[:, 1:] <= 1)).all()
    assert (np.diff(wide[:, 1:], axis=0) >= 0).all()
    if len(bins.columns):
        assert wide[0, 1:].max() < 1e-3
        assert wide[-1, 1:].min() > 1 - 1e-3


def test_many_columns_share_the_bins_among_them():
    X = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)
    assert len(learn_bins(X, 16, 90).columns) == 90
    assert len(learn_bins(X, 0, 90).columns) == 0
    assert len(learn_bins(np.round(np.clip(X, 0, 1)), 16, 90).columns) == 0
