import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import portfolio


@pytest.fixture
def mixed():
    """A table with every kind of column, and a target that depends on some of them."""
    rng = np.random.default_rng(7)
    n = 240
    table = pd.DataFrame(
        {
            "size": rng.normal(10, 3, n),
            "count": rng.integers(0, 40, n),
            "colour": rng.choice(["red", "green", "blue"], n),
            "on": rng.random(n) > 0.5,
            "when": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "remark": [
                " ".join(rng.choice(["late", "good", "poor", "fast", "calm", "loud"], 5)) for _ in range(n)
            ],
            "empty": [None] * n,
        }
    )
    table.loc[rng.random(n) < 0.1, ["size", "colour"]] = None
    noise = rng.normal(0, 1, n)
    value = table["size"].fillna(10) + 3 * (table["colour"] == "red") + noise
    return table, value.rename("value")


@pytest.fixture
def one_of_each(monkeypatch):
    """One quick candidate of each family: enough where quality is not the question."""
    quick = tuple(c for c in portfolio.PORTFOLIO if c.name in ("lightgbm_quick", "linear", "forest"))
    monkeypatch.setattr(portfolio, "PORTFOLIO", quick)


class Watcher:
    """An observer that keeps what it is told."""

    def __init__(self, stop_when=lambda seen: False, known=()):
        self.trials, self.steps, self.told = [], [], []
        self.stop_when, self.known = stop_when, known

    @property
    def done(self):
        return [f.trial.name for f in self.trials if f.trial.state == "done"]

    def trial_finished(self, finished):
        self.trials.append(finished)

    def progress(self, done, message_code):
        self.steps.append((done, message_code))

    def outlook(self, ahead):
        self.told.append(ahead)

    def should_stop(self):
        return self.stop_when(self)

    def known_trials(self):
        return self.known


@pytest.fixture
def watcher():
    return Watcher
