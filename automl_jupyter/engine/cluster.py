"""Clustering: k-means over scaled columns, the number of clusters by the silhouette of held-out rows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from automl_jupyter.engine import columns, kmeans, preprocess, serving, tables, task
from automl_jupyter.engine.admission import MIN_ROWS, refuse
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.contract import Contract
from automl_jupyter.engine.learners import F32
from automl_jupyter.engine.metrics import CONFIDENCE, RESAMPLES
from automl_jupyter.engine.preprocess import Preprocessor, Views
from automl_jupyter.engine.rows import MissingValues, check_names, first_of_equals, without_marks
from automl_jupyter.engine.serving import RowPredictions
from automl_jupyter.engine.trials import SKIPPED, FinishedTrial, Observer, Silent, Trial, ranked, to_frame

MOST_CLUSTERS = 12
FIT_ROWS, JUDGED_ROWS = 20_000, 1500

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Centres:
    """Centres of clusters, shape (k, p), in the linear view."""

    points: F64

    def predict(self, views: Views, threads: int = 1) -> F32:
        """Give the number of the nearest centre, shape (n, 1)."""
        return kmeans.assign(views["linear"].astype(np.float64), self.points)[:, None].astype(np.float32)


class AutoMLClusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Groups rows that resemble each other.

    Parameters
    ----------
    n_clusters : int or None
        Number of clusters, at most half of the rows; None tries 2 to 12 and keeps the best.
    time_budget : float
        Seconds; ``fit`` returns at most one second later.
    n_jobs : int or None
        Threads for predictions; -1 for all processors.
    random_state : int, RandomState or None
        Seed of all that is random.
    max_trials : int or None
        Only so many numbers of clusters.

    Attributes
    ----------
    labels_ : ndarray of shape (n_rows,)
        Cluster of each training row.
    n_clusters_ : int
        Number of clusters found.
    leaderboard_ : DataFrame
        One row for each number of clusters; the score is the mean silhouette of rows that took no part in
        finding the centres. The baseline puts all rows into one cluster.
    score_, interval_ : float, tuple of float
        Score of what is served and its 90 % bootstrap interval.
    contract_ : Contract
        What is expected of each column.
    """

    contract_: Contract
    preprocessor_: Preprocessor

    def __init__(
        self,
        n_clusters: int | None = None,
        time_budget: float = 60,
        n_jobs: int | None = -1,
        random_state: int | np.random.RandomState | None = 0,
        max_trials: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.time_budget = time_budget
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.max_trials = max_trials

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def fit(
        self,
        X: object,
        y: object = None,
        *,
        missing_values: MissingValues | None = None,
        drop_duplicates: bool = False,
        observer: Observer | None = None,
        kinds: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Self:
        """Find clusters within the time budget.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The columns as read: numbers, strings, dates, booleans, missing values.
        y : None
            Ignored; scikit-learn passes it.
        missing_values : mapping, optional
            For some columns the values that stand for a missing one, such as ``{"weight": [-999]}``, when
            learning and when predicting.
        drop_duplicates : bool
            Whether of rows that are equal the first one alone is learnt from; all get a label.
        observer : Observer, optional
            Is told of each trial, and may stop the search.
        kinds : mapping, optional
            For some columns what they are, whatever they look like: ``category`` (numbers that are codes),
            ``text`` or ``ignored``.
        seconds : float, optional
            What this call may take, where that is not ``time_budget``: the rest of a search that was
            interrupted.

        Raises
        ------
        Unprocessable
            A ValueError with a code ``engine.…`` if there is nothing to group.
        """
        end = time.monotonic() + 0.9 * (self.time_budget if seconds is None else seconds)
        every = tables.as_frame(self, X, reset=True)
        marks = {} if missing_values is None else missing_values
        check_names(marks, list(every.columns))
        frame = without_marks(every, marks)
        if drop_duplicates:
            frame = frame.iloc[first_of_equals(frame)].reset_index(drop=True)
        self._check(frame)
        seed = tables.seed_of(self.random_state)
        watcher = observer if observer is not None else Silent()
        watcher.progress(0.0, "engine.progress_preparing")
        with threadpool_limits(tables.threads_of(self.n_jobs)):
            learnt = tables.learn_columns(frame, None, kinds, marks)
            plan = columns.layout(learnt)
            cells, _ = columns.read_frame(plan, frame)
            self.preprocessor_, views = preprocess.fit(plan, cells, seed)
            contest = _Contest(views["linear"], seed, end)
            best = self._search(contest, watcher)
            self.centres_ = Centres(contest.final(best))
            if len(every) > len(frame):
                views = self.preprocessor_.views(columns.read_frame(plan, every)[0])
            labels = self.centres_.predict(views)[:, 0].astype(np.intp)
        # Numbers of clusters run from 0 without gaps, also where a centre attracts no row.
        present, self.labels_ = np.unique(labels, return_inverse=True)
        self.centres_ = Centres(self.centres_.points[present])
        self.n_clusters_ = len(present)
        self.task_, self.metric_ = "clustering", "silhouette"
        self.contract_ = Contract(learnt, "clustering")
        watcher.progress(1.0, "engine.progress_done")
        return self

    def _check(self, frame: pd.DataFrame) -> None:
        if len(frame) < MIN_ROWS:
            raise refuse("target", "engine.too_few_rows_to_cluster", n=len(frame), needed=MIN_ROWS)
        task.check_columns(frame, None)
        if self.n_clusters is not None and not 1 <= self.n_clusters <= len(frame) // 2:
            raise refuse(
                "n_clusters", "engine.bad_number_of_clusters", n=self.n_clusters, most=len(frame) // 2
            )

    def _search(self, contest: _Contest, observer: Observer) -> int:
        """Try numbers of clusters and give the best."""
        most = min(MOST_CLUSTERS, contest.rows // 4)
        wanted = [self.n_clusters] if self.n_clusters is not None else list(range(2, max(most, 2) + 1))
        wanted = wanted[: self.max_trials] if self.max_trials is not None else wanted
        trials = {0: contest.baseline()}
        observer.trial_finished(contest.finished(0, trials[0]))
        known = contest.known(observer.known_trials())
        stopped = False
        for i, k in enumerate(wanted):
            stopped = stopped or observer.should_stop()
            if k in known:
                trials[k] = known[k]
            elif i and (stopped or time.monotonic() > contest.end):
                reason = "engine.trial_stopped" if stopped else "engine.trial_out_of_time"
                trials[k] = Trial(f"kmeans_{k}", "kmeans", state=SKIPPED, params={"k": k}, reason=reason)
            else:
                trials[k] = contest.trial(k)
            observer.trial_finished(contest.finished(k, trials[k]))
            observer.progress(0.95 * (i + 1) / len(wanted), "engine.progress_training")
        best = max(contest.values, key=lambda k: float(contest.values[k].mean()))
        self.trials_ = ranked(
            replace(trial, tied_with_best=contest.tied(best, k)) if k in contest.values else trial
            for k, trial in trials.items()
        )
        self.score_, self.interval_ = trials[best].score, trials[best].interval
        return best

    @property
    def leaderboard_(self) -> pd.DataFrame:
        """The trials as a table, the best first."""
        check_is_fitted(self)
        return to_frame(self.trials_)

    def predict(self, X: object) -> npt.NDArray[np.intp]:
        """Give the cluster of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The columns, as in ``fit``.
        """
        check_is_fitted(self)
        frame = tables.as_frame(self, X, reset=False)
        cells, found = columns.read_frame(self.preprocessor_.plan, frame)
        tables.warn_of(found)
        return self._labels(cells)

    def predict_rows(
        self, rows: Sequence[Mapping[str, object]], max_predict_ms: float | None = None
    ) -> RowPredictions:
        """Give the clusters of a few rows, reporting what is not as the training table was.

        Parameters
        ----------
        rows : sequence of mapping
            Cells by column name, in any order.
        max_predict_ms : float, optional
            Ignored: there is one model alone, and it is quick. The other estimators take it.
        """
        check_is_fitted(self)
        return serving.predict_rows(self, rows)

    def predict_frame(self, X: pd.DataFrame, max_predict_ms: float | None = None) -> RowPredictions:
        """Do the same for a table."""
        check_is_fitted(self)
        return serving.predict_frame(self, X)

    def answer_cells(self, cells: Cells, answering: str) -> tuple[npt.NDArray[np.generic], F64 | None]:
        """Answer for typed cells; see :class:`automl_jupyter.engine.serving.Servable`."""
        return self._labels(cells), None

    def _labels(self, cells: Cells) -> npt.NDArray[np.intp]:
        threads = tables.threads_of(self.n_jobs)
        return serving.raw_predictions(self.centres_, self.preprocessor_, cells, threads)[:, 0].astype(
            np.intp
        )


class _Contest:
    """Judges numbers of clusters: centres come from one half of the rows, silhouettes from the other."""

    def __init__(self, view: F32, seed: int, end: float) -> None:
        generator = np.random.default_rng(seed)
        chosen = generator.permutation(len(view))[:FIT_ROWS]
        self.seed, self.end, self.rows = seed, end, len(chosen)
        self._all = view[np.sort(chosen)].astype(np.float64)
        self._halves = [view[np.sort(half)].astype(np.float64) for half in np.array_split(chosen, 2)]
        self._judged = [half[:JUDGED_ROWS] for half in self._halves]
        self._distances = [np.sqrt(kmeans.squared_distances(part, part)) for part in self._judged]
        n = sum(map(len, self._judged))
        self._weights = (
            np.stack(
                [np.bincount(generator.integers(0, n, n), minlength=n) for _ in range(RESAMPLES)]
            ).astype(np.float64)
            / n
        )
        self.values: dict[int, F64] = {}
        self._fingerprint = hashlib.sha256(self._all.tobytes() + repr(seed).encode()).hexdigest()

    def baseline(self) -> Trial:
        """One cluster: its silhouette is 0 by definition."""
        return Trial("baseline", "baseline", 0.0, (0.0, 0.0), baseline=True, predict_seconds=0.0)

    def trial(self, k: int) -> Trial:
        """Try k clusters."""
        began = time.monotonic()
        centres = [kmeans.fit(half, k, self.seed, self.end) for half in self._halves]
        fitted = time.monotonic()
        labels = [
            kmeans.assign(part, other) for part, other in zip(self._judged, reversed(centres), strict=True)
        ]
        predicted = time.monotonic()
        found = [kmeans.silhouettes(d, part) for d, part in zip(self._distances, labels, strict=True)]
        # In the precision in which a later attempt gets them, so that it comes to the same.
        self.values[k] = np.concatenate(found).astype(np.float32).astype(np.float64)
        low, high = self._quantiles(self.values[k])
        return Trial(
            f"kmeans_{k}",
            "kmeans",
            score=float(self.values[k].mean()),
            interval=(low, high),
            fit_seconds=fitted - began,
            predict_seconds=1000 * (predicted - fitted) / len(self.values[k]),
            params={"k": k},
        )

    def finished(self, k: int, trial: Trial) -> FinishedTrial:
        """A trial with its silhouettes, for a later attempt."""
        values = self.values.get(k)
        found = None if values is None else values.astype(np.float32)[:, None]
        return FinishedTrial(trial, (), found, self._fingerprint)

    def known(self, finished: Sequence[FinishedTrial]) -> dict[int, Trial]:
        """Take over what an earlier attempt at the same rows found, by number of clusters."""
        taken = {}
        for one in finished:
            if one.predictions is not None and one.fingerprint == self._fingerprint:
                k = int(one.trial.params["k"])
                self.values[k] = one.predictions[:, 0].astype(np.float64)
                taken[k] = one.trial
        return taken

    def final(self, k: int) -> F64:
        """Find the centres on all rows."""
        return kmeans.fit(self._all, k, self.seed, self.end)

    def tied(self, best: int, other: int) -> bool:
        """Tell whether resamples of rows cannot tell two numbers of clusters apart."""
        return self._quantiles(self.values[best] - self.values[other])[0] <= 0

    def _quantiles(self, values: F64) -> tuple[float, float]:
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(self._weights @ values, [tail, 1 - tail]).tolist()
        return low, high
