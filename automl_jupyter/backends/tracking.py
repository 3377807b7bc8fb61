"""Where runs and models are written down for people who know MLflow, beside our own database."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from automl_jupyter.backends.records import Json

Status = Literal["FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True, kw_only=True)
class TrackedData:
    """The table that a run learns from: its name and the SHA-256 of its bytes, in hexadecimal."""

    name: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class TrackedColumn:
    """A column that a model takes or gives.

    Attributes
    ----------
    type : str
        MLflow's name of it: ``boolean``, ``long``, ``double``, ``string``, ``datetime`` or ``any``. Whole
        numbers of which some are missing are ``double``; what is ``any`` is not checked by MLflow.
    """

    name: str
    type: str
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class TrackedModel:
    """A model to be written down.

    Attributes
    ----------
    owner, name : str
        Whose it is and what it is called; MLflow knows it by :func:`registered_name`.
    file : Path
        The model as the engine saved it.
    loader_module : str
        A module with a function ``_load_pyfunc(path)`` that loads such a file and returns an object whose
        ``predict(table)`` returns a table with a column ``prediction`` and, for classes, one column
        ``probability_<label>`` each.
    package : Path
        The folder of the package that ``loader_module`` belongs to.
    parts : sequence of str
        The files and folders of it, relative to ``package``, that loading needs.
    requirements : sequence of str
        What pip must install to load it, for example ``scikit-learn==1.7.0``. Never guessed.
    inputs, outputs : sequence of TrackedColumn
        What it takes and gives.
    example : list of dict
        Rows to try it with. Made up, as everybody who reaches MLflow can read them.
    leaderboard : list of dict
        The job's trials.
    plots : sequence of Path
        PNG files.
    tags : mapping
        For its registered version.
    """

    owner: str
    name: str
    file: Path
    loader_module: str
    package: Path
    parts: Sequence[str]
    requirements: Sequence[str]
    inputs: Sequence[TrackedColumn]
    outputs: Sequence[TrackedColumn]
    example: list[Json]
    leaderboard: list[Json] = field(default_factory=list)
    plots: Sequence[Path] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LoggedModel:
    """Where a model was written down: a URI that MLflow loads, and its registered version."""

    uri: str
    version: str


def registered_name(owner: str, name: str) -> str:
    """Name a model in a registry that all owners share: ``<owner>.<name>``.

    Other characters of the owner than letters, digits, ``_`` and ``-`` are written as ``=`` and two
    hexadecimal digits for each byte, so that two owners never share a name.
    """

    def escaped(match: re.Match[str]) -> str:
        return "".join(f"={byte:02x}" for byte in match[0].encode())

    return f"{re.sub(r'[^A-Za-z0-9_-]', escaped, owner)}.{name}"


class Tracking(ABC):
    """Writes runs and models down.

    Every implementation keeps this contract:

    - It is used where jobs run, never in the server, by any number of processes at once; every call names
      its run, there is no run that is active.
    - Numbers that are not finite are left out.
    - A store that cannot be reached, or refuses, raises ``Unavailable("backends.tracking_unavailable")``.
    - Nothing else is reached over the network, nothing is printed.
    """

    @abstractmethod
    def warm(self) -> None:
        """Do what takes long the first time, such as making the store; best in a thread beside the search."""

    @abstractmethod
    def begin(
        self,
        experiment: str,
        run_name: str,
        tags: Mapping[str, str],
        params: Mapping[str, object],
        *,
        data: TrackedData | None = None,
    ) -> str:
        """Begin a run in an experiment, which is made if it is new; returns the run's id."""

    @abstractmethod
    def log_trial(self, run_id: str, trial: Mapping[str, Any], *, metric: str = "score") -> str:
        """Add a trial as a run below a run; returns its id.

        Parameters
        ----------
        run_id : str
            The run of the job.
        trial : mapping
            ``name``, ``family``, ``state``, ``baseline``, ``score``, ``low``, ``high``, ``fit_seconds``,
            ``predict_seconds`` as in the database, and ``params``, a mapping; each may be absent.
        metric : str
            The name under which ``score`` is written.
        """

    @abstractmethod
    def finish(self, run_id: str, status: Status, metrics: Mapping[str, float | None]) -> None:
        """End a run."""

    @abstractmethod
    def log_model(self, run_id: str, model: TrackedModel) -> LoggedModel:
        """Write a model down with a run and register it as the next version of its name."""

    @abstractmethod
    def set_alias(self, owner: str, name: str, alias: str, version: str) -> None:
        """Point an alias of a model to a version."""

    @abstractmethod
    def delete_alias(self, owner: str, name: str, alias: str) -> None:
        """Remove an alias of a model; one that is not there is no error."""

    @abstractmethod
    def erase(self, owner: str, run_ids: Iterable[str], versions: Iterable[tuple[str, str]] = ()) -> None:
        """Remove runs, those below them, and versions of models, with all their files.

        What is not there is no error. A server of MLflow's keeps the rows of a removed run, without its
        files, until ``mlflow gc`` is run on it.

        Parameters
        ----------
        owner : str
            Whose models they are.
        run_ids : iterable of str
            Runs of jobs.
        versions : iterable of (str, str)
            Names of models and versions.
        """
