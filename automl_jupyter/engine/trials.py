"""What a search reports: one trial for each line of the leaderboard, to an observer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from automl_jupyter.engine.learners import Model
from automl_jupyter.engine.outlook import Outlook

DONE, FAILED, SKIPPED = "done", "failed", "skipped"


@dataclass(frozen=True)
class Trial:
    """One line of the leaderboard.

    Attributes
    ----------
    name, family : str
        The candidate and the kind of model.
    score : float
        Higher is better; from rows that took no part in fitting or in any choice. NaN unless done.
    interval : tuple of float
        90 % bootstrap interval.
    tied_with_best : bool
        Whether a paired bootstrap cannot tell it from the best; true of the best itself.
    baseline : bool
        Whether it ignores the columns.
    fit_seconds : float
        Time of all its folds, on one thread.
    predict_seconds : float
        Time to predict 1,000 rows, on one thread.
    state : str
        ``done``, ``failed`` or ``skipped``.
    params : mapping
        What defines the candidate.
    reason : str or None
        The code of the sentence that says why it is not done.
    detail : str or None
        The error of a learner that failed, in its own words.
    """

    name: str
    family: str
    score: float = float("nan")
    interval: tuple[float, float] = (float("nan"), float("nan"))
    tied_with_best: bool = False
    baseline: bool = False
    fit_seconds: float = 0.0
    predict_seconds: float = float("nan")
    state: str = DONE
    params: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    detail: str | None = None


Reached = tuple[int, tuple[int, ...]]
"""The number of a division of the rows, and the last stage of the fit of each of its parts."""


@dataclass(frozen=True)
class FinishedTrial:
    """A trial with all that an ensemble needs of it; it can be saved and handed to a later attempt.

    Attributes
    ----------
    trial : Trial
        Its line of the leaderboard as it was when it ended.
    models : tuple of Model
        The models of its folds, or one; empty unless done.
    predictions : ndarray of shape (n, K), float32, or None
        Coded predictions for each training row by models that had not seen it.
    fingerprint : str
        Of data, folds and seed: an attempt with others does not use it.
    repeats : int
        On how many divisions of the rows it was fitted: predictions are the mean over them.
    reached : tuple of Reached
        For each repeat, in the order in which they were joined, how far its fits came: with it a fit can be
        made again that the clock has ended.
    """

    trial: Trial
    models: tuple[Model, ...] = ()
    predictions: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    fingerprint: str = ""
    repeats: int = 1
    reached: tuple[Reached, ...] = ()

    def out_of_fold(self) -> npt.NDArray[np.float32]:
        """Give the predictions of a trial that is done.

        Raises
        ------
        TypeError
            If it is not.
        """
        if self.predictions is None:
            raise TypeError(f"{self.trial.name} is not done")
        return self.predictions


class Observer(Protocol):
    """Who watches a search; every method is called by the thread that called ``fit``, and is quick."""

    def trial_finished(self, finished: FinishedTrial) -> None:
        """Take note of a trial that ended, whatever its state; the ensemble is the last one."""
        ...

    def progress(self, done: float, message_code: str) -> None:
        """Take note of how far the search is, from 0 to 1, and what it does."""
        ...

    def outlook(self, ahead: Outlook) -> None:
        """Take note of what as much time again would bring."""
        ...

    def should_stop(self) -> bool:
        """Say whether to stop now and keep the best so far; asked about twenty times a second."""
        ...

    def known_trials(self) -> Sequence[FinishedTrial]:
        """Give trials of an earlier, interrupted attempt; those that fit are not run again."""
        ...


class Silent:
    """The observer that does nothing."""

    def trial_finished(self, finished: FinishedTrial) -> None:
        """Do nothing."""

    def progress(self, done: float, message_code: str) -> None:
        """Do nothing."""

    def outlook(self, ahead: Outlook) -> None:
        """Do nothing."""

    def should_stop(self) -> bool:
        """Never stop."""
        return False

    def known_trials(self) -> Sequence[FinishedTrial]:
        """Know nothing."""
        return ()


def ranked(trials: Iterable[Trial]) -> tuple[Trial, ...]:
    """Order trials: the best first, those that are not done last."""
    return tuple(sorted(trials, key=lambda t: (t.state != DONE, -t.score if t.state == DONE else 0.0)))


def to_frame(trials: Sequence[Trial]) -> pd.DataFrame:
    """Write a leaderboard as a table: one row a trial, the columns of :class:`Trial`, ``rank`` as index."""
    rows = [asdict(replace(trial, params=dict(trial.params))) for trial in trials]
    columns = list(Trial.__dataclass_fields__)
    return pd.DataFrame(rows, columns=columns, index=pd.RangeIndex(1, len(rows) + 1, name="rank"))
