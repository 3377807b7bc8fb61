# ruff: noqa: D102 - what a verb does is told once, in Tracking
"""Tracking by MLflow, on a database file of its own or on an MLflow server."""

from __future__ import annotations

import fcntl
import math
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from automl_jupyter import errors
from automl_jupyter.backends import mlflow_files
from automl_jupyter.backends.database import new_id
from automl_jupyter.backends.lines import to_json
from automl_jupyter.backends.tracking import (
    LoggedModel,
    Status,
    TrackedData,
    TrackedModel,
    Tracking,
    registered_name,
)

_PARENT = "mlflow.parentRunId"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_\-. /]")
_LONGEST_NAME = 250
_LONGEST_PARAM = 6000
_LONGEST_TAG = 5000
_LONGEST_DIGEST = 36
_BATCH = 100
_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Makes MLflow's own pages open an experiment on its runs."""


class MlflowTracking(Tracking):
    """MLflow's client with the ids of runs; MLflow is imported on first use (3 s, 200 MB).

    Parameters
    ----------
    tracking_uri : str
        ``sqlite:////folder/mlflow.sqlite`` or the address of a server.
    registry_uri : str, optional
        Where models are registered, if elsewhere.
    artifact_root : str, optional
        A folder for files. Needed with a database file; a server knows its own.
    """

    def __init__(
        self, tracking_uri: str, registry_uri: str | None = None, artifact_root: str | None = None
    ) -> None:
        self._tracking_uri = tracking_uri
        self._registry_uri = registry_uri or tracking_uri
        self._artifact_root = artifact_root

    @cached_property
    def _client(self) -> Any:
        from mlflow import MlflowClient

        if self._artifact_root is not None:
            Path(self._artifact_root).mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._tracking_uri.startswith("sqlite:///"):
            return MlflowClient(self._tracking_uri, self._registry_uri)
        path = Path(self._tracking_uri.removeprefix("sqlite:///"))
        # Two processes that make one database at the same moment spoil each other's migrations.
        with _alone(path.with_name(f"{path.name}.lock")):
            if not path.exists():
                self._make(path)
            return MlflowClient(self._tracking_uri, self._registry_uri)

    def _make(self, path: Path) -> None:
        """Make the database under another name: half a one, of a process that was killed, never works."""
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        making = path.with_name(f"{path.name}.making")
        for left in (making, making.with_name(f"{making.name}-journal")):
            left.unlink(missing_ok=True)
        _make_private_file(making)
        store = SqlAlchemyStore(f"sqlite:///{making}", self._artifact_root or str(path.parent))
        store.engine.dispose()
        making.rename(path)

    def warm(self) -> None:
        with _translated():
            import mlflow.pyfunc  # noqa: F401 - for its time

            self._client.search_experiments(max_results=1)
            self._client.search_registered_models(max_results=1)

    def begin(
        self,
        experiment: str,
        run_name: str,
        tags: Mapping[str, str],
        params: Mapping[str, object],
        *,
        data: TrackedData | None = None,
    ) -> str:
        with _translated():
            run = self._client.create_run(self._experiment(experiment), run_name=run_name, tags=_tags(tags))
            run_id: str = run.info.run_id
            self._log(run_id, {}, params)
            if data is not None:
                self._log_data(run_id, data)
            return run_id

    def log_trial(self, run_id: str, trial: Mapping[str, Any], *, metric: str = "score") -> str:
        measured = {metric: trial.get("score")}
        for name in ("low", "high", "fit_seconds", "predict_seconds"):
            measured[name] = trial.get(name)
        tags = {name: str(trial[name]) for name in ("family", "state", "baseline") if name in trial}
        ended = time.time()
        begun = ended - (trial.get("fit_seconds") or 0.0) - (trial.get("predict_seconds") or 0.0)
        with _translated():
            run = self._client.create_run(
                self._client.get_run(run_id).info.experiment_id,
                start_time=int(begun * 1000),
                run_name=str(trial.get("name", "trial")),
                tags={_PARENT: run_id, **_tags({f"automl.{name}": value for name, value in tags.items()})},
            )
            child: str = run.info.run_id
            self._log(child, measured, trial.get("params") or {})
            status = "FINISHED" if trial.get("state", "done") == "done" else "FAILED"
            self._client.set_terminated(child, status, int(ended * 1000))
            return child

    def finish(self, run_id: str, status: Status, metrics: Mapping[str, float | None]) -> None:
        with _translated():
            self._log(run_id, metrics, {})
            self._client.set_terminated(run_id, status)

    def log_model(self, run_id: str, model: TrackedModel) -> LoggedModel:
        with _translated(), tempfile.TemporaryDirectory(prefix="automl-") as folder:
            if model.leaderboard:
                self._client.log_text(run_id, to_json(model.leaderboard), "leaderboard.json")
            for plot in model.plots:
                self._client.log_artifact(run_id, str(plot), "plots")
            logged = self._log_files(run_id, model, Path(folder))
            name = registered_name(model.owner, model.name)
            self._register(name)
            # Given as models:/<id>, a database would look the place up in MLflow's global store.
            version = self._client.create_model_version(
                name,
                logged.artifact_location,
                run_id,
                tags=_tags(model.tags),
                model_id=logged.model_id,
                await_creation_for=0,
            )
            return LoggedModel(f"models:/{logged.model_id}", str(version.version))

    def set_alias(self, owner: str, name: str, alias: str, version: str) -> None:
        with _translated():
            self._client.set_registered_model_alias(registered_name(owner, name), alias, version)

    def delete_alias(self, owner: str, name: str, alias: str) -> None:
        with _translated(), _absent_is_fine():
            self._client.delete_registered_model_alias(registered_name(owner, name), alias)

    def erase(self, owner: str, run_ids: Iterable[str], versions: Iterable[tuple[str, str]] = ()) -> None:
        with _translated():
            for name, version in versions:
                with _absent_is_fine():
                    self._erase_version(registered_name(owner, name), version)
            for run_id in run_ids:
                with _absent_is_fine():
                    self._erase_run(run_id)

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is None:
            root = self._artifact_root
            location = None if root is None else (Path(root).absolute() / new_id()).as_uri()
            try:
                return str(self._client.create_experiment(name, artifact_location=location, tags=_KIND))
            except MlflowException:
                # Another worker may have made it at the same moment.
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _log(self, run_id: str, metrics: Mapping[str, float | None], params: Mapping[str, object]) -> None:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        finite = [
            Metric(_name(key), float(value), now, 0)
            for key, value in metrics.items()
            if value is not None and math.isfinite(value)
        ]
        texts = [Param(_name(key), _text(value)[:_LONGEST_PARAM]) for key, value in params.items()]
        for start in range(0, max(len(finite), len(texts)), _BATCH):
            piece = slice(start, start + _BATCH)
            self._client.log_batch(run_id, finite[piece], texts[piece])

    def _log_data(self, run_id: str, data: TrackedData) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        table = Dataset(
            name=data.name[:_LONGEST_NAME],
            digest=data.digest[:_LONGEST_DIGEST],
            source_type="local",
            source=to_json({"sha256": data.digest}),
        )
        self._client.log_inputs(run_id, [DatasetInput(table, [InputTag("mlflow.data.context", "training")])])
        self._client.set_tag(run_id, "automl.data_digest", data.digest)

    def _log_files(self, run_id: str, model: TrackedModel, folder: Path) -> Any:
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model

        run = self._client.get_run(run_id)
        logged = self._client.create_logged_model(
            run.info.experiment_id, name="model", source_run_id=run_id, params=run.data.params
        )
        model_id: str = logged.model_id
        place = logged.artifact_location
        entry = Model(artifact_path=place, run_id=run_id, model_uuid=model_id, model_id=model_id)
        made = mlflow_files.save(model, folder, entry)
        self._client.log_model_artifacts(model_id, str(made))
        self._client.finalize_logged_model(model_id, "READY")
        self._client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
        return logged

    def _register(self, name: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _erase_version(self, name: str, version: str) -> None:
        self._client.delete_model_version(name, version)
        if not self._client.search_model_versions(f"name='{name}'", max_results=1):
            self._client.delete_registered_model(name)

    def _erase_run(self, run_id: str) -> None:
        run = self._client.get_run(run_id)
        children = self._client.search_runs([run.info.experiment_id], f"tags.`{_PARENT}` = '{run_id}'")
        for child in [*children, run]:
            for output in child.outputs.model_outputs if child.outputs else ():
                model = self._client.get_logged_model(output.model_id)
                self._erase_files(model.artifact_location)
                self._client.delete_logged_model(output.model_id)
                self._forget("_hard_delete_logged_model", output.model_id)
            self._erase_files(child.info.artifact_uri)
            self._client.delete_run(child.info.run_id)
            self._forget("_hard_delete_run", child.info.run_id)

    def _erase_files(self, location: str) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        files = get_artifact_repository(location, self._tracking_uri, self._registry_uri)
        if files.list_artifacts():
            files.delete_artifacts()

    def _forget(self, verb: str, of: str) -> None:
        # What `mlflow gc` does on a database of ours; a server has no such verb for its clients.
        from mlflow.tracking._tracking_service.utils import _get_store

        forget = getattr(_get_store(self._tracking_uri), verb, None)
        if forget is not None:
            forget(of)


def _name(key: str) -> str:
    return _NOT_IN_NAMES.sub("_", key)[:_LONGEST_NAME]


def _text(value: object) -> str:
    return value if isinstance(value, str) else to_json(value)


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {_name(key): value[:_LONGEST_TAG] for key, value in tags.items()}


def _make_private_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    _make_private_file(path)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _translated() -> Iterator[None]:
    mlflow_files.prepare()
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (OSError, MlflowException) as error:
        raise errors.Unavailable("backends.tracking_unavailable") from error


@contextmanager
def _absent_is_fine() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
