"""The public estimators for classes and for quantities, under scikit-learn's contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from automl_jupyter.engine import admission, columns, preprocess, search, serving, tables, task
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.conformal import COVERAGE, Bands, bands_of
from automl_jupyter.engine.contract import Contract
from automl_jupyter.engine.ensemble import Ensemble
from automl_jupyter.engine.learners import F32, Codes
from automl_jupyter.engine.preprocess import Preprocessor
from automl_jupyter.engine.rows import MissingValues, gather
from automl_jupyter.engine.scorers import metric_of
from automl_jupyter.engine.serving import RowPredictions
from automl_jupyter.engine.task import Target
from automl_jupyter.engine.trials import Observer, Reached, Silent, Trial, to_frame

EVALUATION_ROWS = 20_000


@dataclass(frozen=True)
class Evaluation:
    """True values and honest predictions of (at most 20,000) training rows, for charts and explanations.

    Attributes
    ----------
    truth : ndarray of shape (n,)
        Codes of classes, or quantities.
    predictions : ndarray of shape (n, K) or (n,)
        Probabilities, or quantities, by models that had not seen the row.
    rows : ndarray of shape (n,), int32, or None
        Where the rows stood in the table that was given to ``fit``; None in models of earlier releases.
    part : ndarray of shape (n,), int8, or None
        The fold whose models had not seen the row; None in order of time, where they are not kept.
    order : ndarray of shape (n,), int32, or None
        Where the rows stood among those that were learnt from; None where rows belong together, or follow
        each other, so that a row is known from others.
    """

    truth: npt.NDArray[np.generic]
    predictions: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int32] | None = None
    part: npt.NDArray[np.int8] | None = None
    order: npt.NDArray[np.int32] | None = None


class AutoMLSupervised(BaseEstimator):  # type: ignore[misc]
    """What the classifier and the regressor share; see there."""

    contract_: Contract
    preprocessor_: Preprocessor
    ensemble_: Ensemble
    row_milliseconds_: dict[str, float]
    target_: Target
    evaluation_: Evaluation
    trials_: tuple[Trial, ...]
    metric_: str
    task_: str
    score_: float
    interval_: tuple[float, float]

    _ablation = search.Ablation()
    # Models of the first release have none of these.
    max_predict_ms: float | None = None
    fast_: Ensemble | None = None
    decision_: npt.NDArray[np.float64] | None = None
    weighted_: bool = False
    reached_: Mapping[str, tuple[Reached, ...]] | None = None

    def __init__(
        self,
        time_budget: float = 60,
        metric: str | Callable[..., object] = "auto",
        n_jobs: int | None = -1,
        random_state: int | np.random.RandomState | None = 0,
        max_trials: int | None = None,
        max_predict_ms: float | None = None,
    ) -> None:
        self.time_budget = time_budget
        self.metric = metric
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.max_trials = max_trials
        self.max_predict_ms = max_predict_ms

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        return tags

    def fit(  # noqa: PLR0913 - what is known of the rows, as scikit-learn's own methods take it
        self,
        X: object,
        y: object,
        *,
        sample_weight: object | None = None,
        groups: object | None = None,
        time: object | None = None,
        missing_values: MissingValues | None = None,
        drop_duplicates: bool = False,
        observer: Observer | None = None,
        kinds: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Self:
        """Search for the best model within the time budget.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The features as read: numbers, strings, dates, booleans, missing values.
        y : Series or array-like of shape (n_rows,)
            The target; rows without one are left out.
        sample_weight : array-like of shape (n_rows,), optional
            How much each row counts, when learning and in scores; not negative.
        groups : array-like of shape (n_rows,), optional
            The group of each row: a group is never on both sides when rows are divided to fit and to score,
            so that scores hold for groups that are new. A row without one is a group of its own.
        time : array-like of shape (n_rows,), optional
            The time of each row, as numbers or dates: every model is judged on rows that are later than those
            that it learnt from. The oldest rows are learnt from alone, rows without a time by what is served
            alone, and what is served has learnt from all rows. Not together with `groups`.
        missing_values : mapping, optional
            For some columns the values that stand for a missing one, such as ``{"weight": [-999]}``, when
            learning and when predicting.
        drop_duplicates : bool
            Whether of rows that are equal in features and target (and group or time) the first one alone is
            learnt from.
        observer : Observer, optional
            Is told of each trial, and may stop the search.
        kinds : mapping, optional
            For some columns what they are, whatever they look like: ``category`` (numbers that are codes),
            ``text`` or ``ignored``.
        seconds : float, optional
            What this call may take, where that is not ``time_budget``: the rest of a search that was
            interrupted, given the same ``time_budget``, goes on with what the observer knows of it.

        Returns
        -------
        self

        Raises
        ------
        Unprocessable
            A ValueError with a code ``engine.…`` if nothing can be learnt.
        """
        start = monotonic()
        frame = tables.as_frame(self, X, reset=True)
        marks = {} if missing_values is None else missing_values
        rows = gather(frame, tables.as_series(y, frame), groups, time, marks)
        rows = rows.weighted(sample_weight)
        if drop_duplicates:
            rows = rows.once()
        name, seed = str(rows.y.name), tables.seed_of(self.random_state)
        decided = task.check_training(rows.X, rows.y, name, self._task(rows.y))
        rows = tables.known_rows(rows, self.time_budget, seed)
        rows.check_division()
        watcher = observer if observer is not None else Silent()
        watcher.progress(0.0, "engine.progress_preparing")
        with threadpool_limits(1):
            target, codes = task.encode(rows.y, decided)
            metric = metric_of(self.metric, decided, target.classes)
            learnt = tables.learn_columns(rows.X, name, kinds, marks)
            plan = columns.layout(learnt)
            cells, _ = columns.read_frame(plan, rows.X)
            self.preprocessor_, views = preprocess.fit(plan, cells, seed)
            problem = search.Problem(
                views=views,
                codes=codes,
                target=target,
                metric=metric,
                planned=float(self.time_budget),
                budget=float(self.time_budget if seconds is None else seconds),
                start=start,
                workers=tables.threads_of(self.n_jobs),
                seed=seed,
                max_trials=self.max_trials,
                groups=rows.groups,
                time=rows.time,
                weights=rows.weights,
                ablation=self._ablation,
            )
            result = search.run(problem, watcher)
        classes = tuple(target.classes.tolist()) if target.classes is not None else ()
        self.contract_ = Contract(learnt, decided, name, classes)
        self.task_, self.metric_, self.target_ = decided, metric.name, target
        self.weighted_ = sample_weight is not None
        self._keep(result, codes, seed, rows.positions)
        self._time(cells)
        watcher.progress(1.0, "engine.progress_done")
        return self

    def _task(self, y: pd.Series) -> str | None:
        raise TypeError("an abstract estimator has no task")

    def _keep(
        self, result: search.Result, codes: Codes, seed: int, positions: npt.NDArray[np.intp] | None
    ) -> None:
        self.ensemble_, self.fast_, self.trials_ = result.ensemble, result.fast, result.trials
        self.score_, self.interval_ = result.row.score, result.row.interval
        self.decision_ = result.decision
        self.curve_, self.reached_ = result.curve, result.reached
        judged = result.judged
        if len(judged) > EVALUATION_ROWS:
            judged = np.random.default_rng(seed).choice(judged, EVALUATION_ROWS, replace=False)
        truth, predictions = codes[judged], result.predictions[judged]
        rows = (judged if positions is None else positions[judged]).astype(np.int32)
        part = None if result.folds.ordered else result.folds.part[judged]
        order = judged.astype(np.int32) if result.folds.at_random else None
        if self.target_.classes is None:
            quantities = self.target_.decode(truth.astype(np.float32)[:, None])
            self.evaluation_ = Evaluation(quantities, self.target_.decode(predictions), rows, part, order)
        else:
            self.evaluation_ = Evaluation(truth, predictions.astype(np.float64), rows, part, order)

    def _time(self, cells: Cells) -> None:
        """Measure how long one row takes each model."""
        self.row_milliseconds_ = {}
        for name, model in (("ensemble", self.ensemble_), ("fast", self.fast_)):
            if model is not None:
                each = [serving.one_row_seconds(model, self.preprocessor_, cells, i) for i in range(3)]
                self.row_milliseconds_[name] = 1000 * min(each)

    def model_for(self, max_predict_ms: float | None = None) -> str:
        """Tell which model answers: the ensemble, or the fast one where the ensemble takes too long.

        Parameters
        ----------
        max_predict_ms : float, optional
            The longest that one row may take, in milliseconds; the estimator's own parameter unless given.

        Returns
        -------
        str
            ``ensemble`` or ``fast``.
        """
        check_is_fitted(self)
        limit = self.max_predict_ms if max_predict_ms is None else max_predict_ms
        if self.fast_ is None or limit is None or self.row_milliseconds_["ensemble"] <= limit:
            return "ensemble"
        return "fast"

    @property
    def leaderboard_(self) -> pd.DataFrame:
        """The trials as a table, the best first."""
        check_is_fitted(self)
        return to_frame(self.trials_)

    def predict_rows(
        self, rows: Sequence[Mapping[str, object]], max_predict_ms: float | None = None
    ) -> RowPredictions:
        """Predict a few rows, reporting what is not as the training table was.

        Parameters
        ----------
        rows : sequence of mapping
            Cells by column name, in any order.
        max_predict_ms : float, optional
            The longest that one row may take, see :meth:`model_for`.
        """
        return serving.predict_rows(self, rows, self.model_for(max_predict_ms))

    def predict_frame(self, X: pd.DataFrame, max_predict_ms: float | None = None) -> RowPredictions:
        """Do the same for a table."""
        return serving.predict_frame(self, X, self.model_for(max_predict_ms))

    def _raw(self, X: object) -> F32:
        """Coded predictions for features as ``fit`` takes them."""
        check_is_fitted(self)
        frame = tables.as_frame(self, X, reset=False)
        cells, found = columns.read_frame(self.preprocessor_.plan, frame)
        tables.warn_of(found)
        return self._raw_cells(cells, self.model_for())

    def _raw_cells(self, cells: Cells, answering: str) -> F32:
        threads = tables.threads_of(self.n_jobs)
        model = self.fast_ if answering == "fast" and self.fast_ is not None else self.ensemble_
        return serving.raw_predictions(model, self.preprocessor_, cells, threads)


class AutoMLClassifier(ClassifierMixin, AutoMLSupervised):  # type: ignore[misc]
    """Finds the best model for classes within a time budget.

    Parameters
    ----------
    time_budget : float
        Seconds; ``fit`` returns at most one second later.
    metric : str or callable
        A scikit-learn scorer's name, best one of :data:`automl_jupyter.engine.admission.METRICS`, or the
        scorer itself, or a function of true and predicted classes of which more is better; ``"auto"`` is
        ``roc_auc`` for two classes and ``neg_log_loss`` for more.
    n_jobs : int or None
        Threads; -1 for all processors.
    random_state : int, RandomState or None
        Seed of all that is random.
    max_trials : int or None
        Only so many candidates; the result then depends on the seed alone, unless the budget runs out.
    max_predict_ms : float or None
        The longest that one row may take, in milliseconds: where the ensemble takes longer, one quick model
        answers that has learnt from it.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The classes.
    leaderboard_ : DataFrame
        The trials, the best first, with scores from rows that took no part in any choice.
    score_, interval_ : float, tuple of float
        Score of what is served and its 90 % bootstrap interval.
    contract_ : Contract
        What is expected of each column.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = AutoMLClassifier(time_budget=5, max_trials=2).fit(X, y)
    >>> model.predict(X.head(2)).tolist()
    [0, 0]
    """

    @property
    def classes_(self) -> npt.NDArray[np.generic]:
        """The classes, in the order of the columns of probabilities."""
        if self.target_.classes is None:
            raise AttributeError("classes_")
        return self.target_.classes

    def _task(self, y: pd.Series) -> str | None:
        known = y.dropna()
        seen = task.summarise(known)
        if seen.type == "number" and seen.distinct > admission.FEW_VALUES:
            check_classification_targets(known)
        return "binary" if seen.distinct == 2 else "multiclass"

    def predict(self, X: object) -> npt.NDArray[np.generic]:
        """Predict the class of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The features, as in ``fit``.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        raw = self._raw(X)
        return self.target_.label(raw, self.decision_)

    def predict_proba(self, X: object) -> npt.NDArray[np.float64]:
        """Predict the probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The features, as in ``fit``.

        Returns
        -------
        ndarray of shape (n_rows, K)
        """
        return _normal(self._raw(X))

    def answer_cells(
        self, cells: Cells, answering: str
    ) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.float64] | None]:
        """Answer for typed cells; see :class:`automl_jupyter.engine.serving.Servable`."""
        raw = self._raw_cells(cells, answering)
        return self.target_.label(raw, self.decision_), _normal(raw)


class AutoMLRegressor(RegressorMixin, AutoMLSupervised):  # type: ignore[misc]
    """Finds the best model for a quantity within a time budget.

    Parameters
    ----------
    time_budget : float
        Seconds; ``fit`` returns at most one second later.
    metric : str or callable
        A scikit-learn scorer's name, best one of :data:`automl_jupyter.engine.admission.METRICS`, or the
        scorer itself, or a function of true and predicted quantities of which more is better; ``"auto"`` is
        ``neg_root_mean_squared_error``.
    n_jobs : int or None
        Threads; -1 for all processors.
    random_state : int, RandomState or None
        Seed of all that is random.
    max_trials : int or None
        Only so many candidates; the result then depends on the seed alone, unless the budget runs out.
    max_predict_ms : float or None
        The longest that one row may take, in milliseconds: where the ensemble takes longer, one quick model
        answers that has learnt from it.

    Attributes
    ----------
    leaderboard_ : DataFrame
        The trials, the best first, with scores from rows that took no part in any choice.
    score_, interval_ : float, tuple of float
        Score of what is served and its 90 % bootstrap interval.
    contract_ : Contract
        What is expected of each column.
    n_features_in_, feature_names_in_
        As in scikit-learn.
    """

    # Models of earlier releases have none.
    bands_: Bands | None = None

    def _task(self, y: pd.Series) -> str | None:
        return "regression"

    def predict(self, X: object) -> npt.NDArray[np.float64]:
        """Predict the quantity of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The features, as in ``fit``.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        raw = self._raw(X)
        return self.target_.decode(raw)

    def predict_interval(self, X: object, coverage: float = COVERAGE) -> npt.NDArray[np.float64]:
        """Predict intervals that hold the quantity with a stated probability, from what the ensemble says.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The features, as in ``fit``.
        coverage : float
            How often the quantity is inside, for rows of the same kind as those that were learnt from.

        Returns
        -------
        ndarray of shape (n_rows, 2)
        """
        check_is_fitted(self)
        frame = tables.as_frame(self, X, reset=False)
        cells, _ = columns.read_frame(self.preprocessor_.plan, frame)
        said = self.target_.decode(self._raw_cells(cells, "ensemble"))
        seen = self.evaluation_
        return bands_of(seen.truth.astype(np.float64), seen.predictions, coverage).around(said)

    def _keep(
        self, result: search.Result, codes: Codes, seed: int, positions: npt.NDArray[np.intp] | None
    ) -> None:
        super()._keep(result, codes, seed, positions)
        seen = self.evaluation_
        self.bands_ = bands_of(seen.truth.astype(np.float64), seen.predictions)

    def answer_cells(
        self, cells: Cells, answering: str
    ) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.float64] | None]:
        """Answer for typed cells; see :class:`automl_jupyter.engine.serving.Servable`."""
        return self.target_.decode(self._raw_cells(cells, answering)), None


def _normal(raw: F32) -> npt.NDArray[np.float64]:
    """Probabilities that add up to one in double precision."""
    q = raw.astype(np.float64)
    return np.asarray(q / q.sum(axis=1, keepdims=True))
