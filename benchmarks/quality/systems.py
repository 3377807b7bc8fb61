"""The systems that are compared, each as it is meant to be used, behind one small interface.

This module and ``worker`` run in whatever Python has the system: they need pandas and that system, nothing
else of this project, and each adapter imports its own system alone.
"""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

FIRST_MODEL = "@@FIRST_MODEL"
Answer = tuple[Sequence[Any] | None, npt.NDArray[Any]]


@dataclass(frozen=True)
class Setting:
    """What every system is told.

    Attributes
    ----------
    variant : str
        What follows the system's name after a dash, such as ``best``.
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    budget : float
        Seconds.
    threads : int
        As many as it may use.
    seed : int
        Of all that is random.
    folder : Path
        An empty folder for what it writes.
    trials : int or None
        Only so many candidates, where the system can be told.
    """

    variant: str
    task: str
    budget: float
    threads: int
    seed: int
    folder: Path
    trials: int | None = None

    def pick(self, binary: str, multiclass: str, regression: str) -> str:
        """The word for this task."""
        return {"binary": binary, "multiclass": multiclass, "regression": regression}[self.task]


class System(ABC):
    """What an adapter does, and what most of them leave as it is."""

    packages: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def __init__(self, setting: Setting) -> None:
        """Import the system and prepare it."""

    @abstractmethod
    def fit(self, X: pd.DataFrame, y: pd.Series) -> None:
        """Learn within the budget."""

    @abstractmethod
    def predict(self, X: pd.DataFrame) -> Answer:
        """Answer with classes and a probability of each per row; or with None and a quantity per row."""

    def quick(self, X: pd.DataFrame) -> Answer | None:
        """Answer by the quick model that the same fit has made beside the good one, where there is one."""
        return None

    def warm(self) -> None:
        """Get ready to answer single rows, where the system has a way of its own for that."""
        return

    def told(self) -> dict[str, Any]:
        """Tell what the system says of its model: a ``note``, and its own estimate where it has one."""
        return {}

    def close(self) -> None:
        """End what still runs."""
        return


class _First:
    """An observer that says when the first model is there."""

    def __init__(self) -> None:
        self._said = False

    def trial_finished(self, finished: Any) -> None:
        """Say so once, of a trial that is not the baseline."""
        trial = finished.trial
        if not self._said and trial.state == "done" and not trial.baseline:
            self._said = True
            print(FIRST_MODEL, flush=True)

    def progress(self, done: float, message_code: str) -> None:
        """Not of interest."""

    def outlook(self, ahead: Any) -> None:
        """Not of interest."""

    def should_stop(self) -> bool:
        """Never."""
        return False

    def known_trials(self) -> Sequence[Any]:
        """None."""
        return ()


LEAST_MS = 1e-9
"""No ensemble answers so quickly: the quick model does."""


class Ours(System):
    """Ours; ``ours-without_<part>`` does without a part.

    A part is a family (``neural``), a candidate (``lightgbm_slow``) or a step (``repeats``, ``second_level``,
    ``temperature``).
    """

    packages = ("automl_jupyter", "scikit-learn", "lightgbm", "numpy", "pandas")

    def __init__(self, setting: Setting) -> None:
        without = setting.variant.removeprefix("without_")
        if setting.variant and without == setting.variant:
            raise SystemExit(f"ours has the variants without_<part>, not {setting.variant!r}")
        engine = import_module("automl_jupyter.engine")
        made = engine.AutoMLRegressor if setting.task == "regression" else engine.AutoMLClassifier
        self._task = setting.task
        self._model = made(
            time_budget=setting.budget,
            metric=setting.pick("roc_auc", "neg_log_loss", "neg_root_mean_squared_error"),
            n_jobs=setting.threads,
            random_state=setting.seed,
            max_trials=setting.trials,
        )
        if without:
            search = import_module("automl_jupyter.engine.search")
            self._model._ablation = search.Ablation(frozenset({without}))

    def fit(self, X: pd.DataFrame, y: pd.Series) -> None:
        """Search."""
        self._model.fit(X, y, observer=_First())

    def predict(self, X: pd.DataFrame) -> Answer:
        """Ask the ensemble."""
        if self._task == "regression":
            return None, self._model.predict(X)
        return list(self._model.classes_), self._model.predict_proba(X)

    def quick(self, X: pd.DataFrame) -> Answer | None:
        """Ask the distilled model."""
        if self._model.fast_ is None:
            return None
        self._model.set_params(max_predict_ms=LEAST_MS)
        try:
            return self.predict(X)
        finally:
            self._model.set_params(max_predict_ms=None)

    def told(self) -> dict[str, Any]:
        """The reported score with its interval, as errors, and the rows that it was judged by."""
        whole = 1.0 if self._task == "binary" else 0.0
        low, high = self._model.interval_
        trials = self._model.leaderboard_
        judged = self._model.evaluation_
        return {
            "reported": whole - float(self._model.score_),
            "reported_low": whole - float(high),
            "reported_high": whole - float(low),
            "curve": import_module("benchmarks.quality.outlook").written(self._model.curve_),
            "note": f"trials={int(((trials['state'] == 'done') & ~trials['baseline']).sum())}",
            "truth": np.asarray(judged.truth),
            "honest": np.asarray(judged.predictions),
        }


class LightGBM(System):
    """One LightGBM as it comes: its own categories, early stopping on a tenth, 2,000 rounds at most.

    It is what any system has to beat, and as it always does the same work, its seconds tell how fast the
    machine was at the time.
    """

    packages = ("lightgbm", "scikit-learn", "numpy", "pandas")
    rounds, patience = 2000, 50

    def __init__(self, setting: Setting) -> None:
        self._lightgbm = import_module("lightgbm")
        self._setting = setting
        self._levels: dict[str, list[str]] = {}

    def _coded(self, X: pd.DataFrame) -> pd.DataFrame:
        coded = X.copy()
        for column, levels in self._levels.items():
            words = X[column].astype(str).where(X[column].notna())
            coded[column] = pd.Categorical(words, categories=levels)
        return coded.set_axis([f"f{i}" for i in range(coded.shape[1])], axis=1)

    def fit(self, X: pd.DataFrame, y: pd.Series) -> None:
        """Boost."""
        divide = import_module("sklearn.model_selection").train_test_split
        words = [column for column in X.columns if X[column].dtype == object]
        self._levels = {column: sorted(X[column].dropna().astype(str).unique()) for column in words}
        regression = self._setting.task == "regression"
        X_fit, X_stop, y_fit, y_stop = divide(
            self._coded(X), y, test_size=0.1, random_state=0, stratify=None if regression else y
        )
        made = self._lightgbm.LGBMRegressor if regression else self._lightgbm.LGBMClassifier
        self._model = made(
            n_estimators=self.rounds,
            n_jobs=self._setting.threads,
            random_state=self._setting.seed,
            verbose=-1,
        )
        stop = self._lightgbm.early_stopping(self.patience, verbose=False)
        self._model.fit(X_fit, y_fit, eval_set=[(X_stop, y_stop)], callbacks=[stop])

    def predict(self, X: pd.DataFrame) -> Answer:
        """Ask it."""
        if self._setting.task == "regression":
            return None, self._model.predict(self._coded(X))
        return list(self._model.classes_), self._model.predict_proba(self._coded(X))

    def told(self) -> dict[str, Any]:
        """The number of rounds."""
        return {"note": f"rounds={self._model.best_iteration_}"}


class AutoGluon(System):
    """AutoGluon's TabularPredictor; the variant is the preset: ``best``, ``high``, ``good``, ``medium``."""

    packages = ("autogluon.tabular", "lightgbm", "catboost", "xgboost", "torch", "scikit-learn", "pandas")

    def __init__(self, setting: Setting) -> None:
        self._made = import_module("autogluon.tabular").TabularPredictor
        self._setting = setting

    def fit(self, X: pd.DataFrame, y: pd.Series) -> None:
        """Search."""
        setting = self._setting
        self._predictor = self._made(
            label=y.name,
            problem_type=setting.task,
            eval_metric=setting.pick("roc_auc", "log_loss", "root_mean_squared_error"),
            path=str(setting.folder / "autogluon"),
            verbosity=2,
        )
        self._predictor.fit(
            X.assign(**{str(y.name): y}),
            presets=f"{setting.variant}_quality",
            time_limit=setting.budget,
            num_cpus=setting.threads,
            num_gpus=0,
        )

    def predict(self, X: pd.DataFrame) -> Answer:
        """Ask the best model."""
        if self._setting.task == "regression":
            return None, self._predictor.predict(X).to_numpy()
        found = self._predictor.predict_proba(X)
        return list(found.columns), found.to_numpy()

    def warm(self) -> None:
        """Keep the models in memory."""
        self._predictor.persist()

    def told(self) -> dict[str, Any]:
        """Name the best model."""
        return {"note": f"best={self._predictor.model_best} models={len(self._predictor.model_names())}"}


class Flaml(System):
    """FLAML; the variant ``ensemble`` stacks."""

    packages = ("flaml", "lightgbm", "xgboost", "catboost", "scikit-learn", "pandas")

    def __init__(self, setting: Setting) -> None:
        self._search = import_module("flaml").AutoML()
        self._setting = setting

    def fit(self, X: pd.DataFrame, y: pd.Series) -> None:
        """Search."""
        setting = self._setting
        self._search.fit(
            X_train=X,
            y_train=y,
            task="regression" if setting.task == "regression" else "classification",
            metric=setting.pick("roc_auc", "log_loss", "rmse"),
            time_budget=setting.budget,
            n_jobs=setting.threads,
            ensemble=setting.variant == "ensemble",
            seed=setting.seed,
            early_stop=False,
            verbose=3,
        )

    def predict(self, X: pd.DataFrame) -> Answer:
        """Ask the best model."""
        if self._setting.task == "regression":
            return None, self._search.predict(X)
        return list(self._search.classes_), self._search.predict_proba(X)

    def told(self) -> dict[str, Any]:
        """Name the best model."""
        return {"note": f"best={self._search.best_estimator}"}


class Mljar(System):
    """MLJAR; the variant is its mode: ``compete`` (where none is named), ``perform``, ``explain``."""

    packages = ("mljar-supervised", "lightgbm", "xgboost", "catboost", "scikit-learn", "pandas")
    _prefix = "prediction_"

    def __init__(self, setting: Setting) -> None:
        self._task, self._classes = setting.task, list[str]()
        self._search = import_module("supervised.automl").AutoML(
            results_path=str(setting.folder / "mljar"),
            mode=(setting.variant or "compete").capitalize(),
            total_time_limit=round(setting.budget),
            ml_task=setting.pick("binary_classification", "multiclass_classification", "regression"),
            eval_metric=setting.pick("auc", "logloss", "rmse"),
            n_jobs=setting.threads,
            random_state=setting.seed,
            explain_level=0,
            verbose=1,
        )

    def fit(self, X: pd.DataFrame, y: pd.Series) -> None:
        """Search."""
        self._search.fit(X, y)

    def predict(self, X: pd.DataFrame) -> Answer:
        """Ask the best model; the classes are named by the columns of another of its methods."""
        if self._task == "regression":
            return None, self._search.predict(X)
        if not self._classes:
            named = self._search.predict_all(X.iloc[:2]).columns
            self._classes = [c.removeprefix(self._prefix) for c in named if c.startswith(self._prefix)]
        return self._classes, self._search.predict_proba(X)

    def told(self) -> dict[str, Any]:
        """Name the best model."""
        return {"note": f"best={self._search._best_model.get_name()}"}


class H2O(System):
    """H2O's AutoML, with a server of its own on loopback."""

    packages = ("h2o", "pandas")

    def __init__(self, setting: Setting) -> None:
        self._h2o, self._setting = import_module("h2o"), setting
        self._h2o.init(
            nthreads=setting.threads,
            max_mem_size="6G",
            ice_root=str(setting.folder),
            port=54400 + os.getpid() % 400 * 2,
            bind_to_localhost=True,
        )
        self._h2o.no_progress()
        self._types: dict[str, str] = {}

    def fit(self, X: pd.DataFrame, y: pd.Series) -> None:
        """Search."""
        setting, target = self._setting, str(y.name)
        self._types = {str(c): "enum" if X[c].dtype == object else "numeric" for c in X.columns}
        kind = "numeric" if setting.task == "regression" else "enum"
        frame = self._h2o.H2OFrame(X.assign(**{target: y}), column_types={**self._types, target: kind})
        self._search = import_module("h2o.automl").H2OAutoML(
            max_runtime_secs=round(setting.budget),
            seed=setting.seed,
            sort_metric=setting.pick("AUC", "logloss", "RMSE"),
        )
        self._search.train(y=target, training_frame=frame)

    def predict(self, X: pd.DataFrame) -> Answer:
        """Ask the leader; its columns may be named otherwise than the classes, its domain is not."""
        asked = self._h2o.H2OFrame(X, column_types=self._types)
        found = self._search.leader.predict(asked).as_data_frame(use_pandas=True)
        if self._setting.task == "regression":
            return None, found["predict"].to_numpy()
        columns = list(found.columns[1:])
        domain = self._search.leader._model_json["output"]["domains"][-1]
        named = domain if domain and len(domain) == len(columns) else columns
        return named, found[columns].to_numpy()

    def told(self) -> dict[str, Any]:
        """Name the leader."""
        leader = self._search.leader.model_id.partition("_AutoML")[0]
        return {"note": f"leader={leader} models={self._search.leaderboard.nrow}"}

    def close(self) -> None:
        """End its server."""
        self._h2o.cluster().shutdown()


SYSTEMS: dict[str, type[System]] = {
    "ours": Ours,
    "lightgbm": LightGBM,
    "autogluon": AutoGluon,
    "flaml": Flaml,
    "mljar": Mljar,
    "h2o": H2O,
}

FIRST_MODEL_LINES = {
    "ours": FIRST_MODEL,
    "autogluon": r"=\s*Validation score",
    "flaml": r"at [\d.]+s,\s*estimator .* best error",
    "mljar": r"trained in [\d.]+ seconds",
}
"""What a line of the system's own log says when its first model is there; others say nothing of it."""


def make(name: str, setting: Setting) -> System:
    """The adapter of a system, ready to fit; importing it has its own time.

    Raises
    ------
    SystemExit
        If there is no such system.
    """
    family = name.partition("-")[0]
    if family not in SYSTEMS:
        raise SystemExit(f"no such system: {name}; there are {', '.join(SYSTEMS)}")
    system = SYSTEMS[family](setting)
    print(f"{name} in Python {sys.version.split()[0]}", flush=True)
    return system
