import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from automl_jupyter.engine import penalty
from automl_jupyter.engine.learners import Clock, Work
from automl_jupyter.engine.products import product

STRENGTHS = (0.01, 1.0, 30.0)


def work(kind, n, p):
    rng = np.random.default_rng(n + p)
    X = rng.normal(0, 1, (n, p)).astype(np.float32)
    X[:, 1] = X[:, 0] + 0.01 * X[:, 1]
    X[:, 2] *= 30
    score = X[:, 0] - X[:, 3] + rng.normal(0, 1, n)
    y = score if kind == "regression" else np.digitize(score, [-1, 1])
    weights = rng.uniform(0.5, 1.5, n)
    return Work(
        X=X,
        y=y.astype(np.float32 if kind == "regression" else np.int32),
        task=kind,
        width=1 if kind == "regression" else 3,
        numeric_width=p,
        seed=0,
        clock=Clock(np.inf, np.inf),
        weights=weights,
    )


@pytest.mark.parametrize("most", [3, 1500])
@pytest.mark.parametrize(("n", "p"), [(200, 8), (30, 60)])
@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_each_penalty_gives_what_scikit_learn_finds(monkeypatch, kind, n, p, most):
    monkeypatch.setattr(penalty, "MOST_COMPONENTS", most)
    of = work(kind, n, p)
    for found, strength in zip(penalty.solve(of.X, of, STRENGTHS, range(3), 500), STRENGTHS, strict=True):
        scores = of.X @ found.coefficients + found.intercept
        if kind == "regression":
            reference = Ridge(alpha=1 / strength).fit(of.X, of.y, of.weights)
            assert scores[:, 0] == pytest.approx(reference.predict(of.X), abs=0.01)
        else:
            reference = LogisticRegression(C=strength, max_iter=5000, tol=1e-6).fit(of.X, of.y, of.weights)
            q = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            assert q == pytest.approx(reference.predict_proba(of.X), abs=0.02)


def test_only_the_wanted_penalties_are_solved_and_held_rows_end_a_path_that_gets_worse():
    of = work("multiclass", 60, 40)
    assert [s.stage for s in penalty.solve(of.X, of, STRENGTHS, (1,))] == [1]
    held = work("multiclass", 61, 40)
    noise = Work(**{**vars(of), "y_held": np.roll(held.y, 7)})
    many = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)
    assert len(list(penalty.solve(of.X, noise, many, range(7), X_held=held.X))) < 7


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 100])
def test_a_row_of_a_product_does_not_depend_on_the_others(n):
    rng = np.random.default_rng(n)
    X, B = rng.normal(0, 1, (n, 37)).astype(np.float32), rng.normal(0, 1, (37, 11)).astype(np.float32)
    whole = product(X, B)
    assert whole == pytest.approx(X @ B, abs=1e-4)
    assert all(np.array_equal(product(X[i : i + 1], B)[0], whole[i]) for i in range(n))
