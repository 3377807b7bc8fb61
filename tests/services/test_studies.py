"""What is computed of a version is computed once, kept beside it, checked, and erased with it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.backends.database import Database, new_id, open_database
from automl_jupyter.backends.process import HelperProcess
from automl_jupyter.backends.records import DatasetRecord, JobRecord, VersionDraft
from automl_jupyter.backends.storage import Storage, open_storage
from automl_jupyter.engine import AutoMLRegressor, persist
from automl_jupyter.errors import AutoMLError, NotFound, TooMany, Unavailable, Unprocessable
from automl_jupyter.services.models import erase_files
from automl_jupyter.services.plans import model_key
from automl_jupyter.services.predictions import Predictions
from automl_jupyter.services.settings import local_settings
from automl_jupyter.services.staging import open_staging
from automl_jupyter.services.studies import MOST_WAITING, Kept, Pending, Studies, UnderWay
from automl_jupyter.services.study_kinds import Kind
from automl_jupyter.services.sweep import sweep

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
LOOK, PATIENT, REFUSE, DIE = (Kind(name, f"makers:{name}") for name in ("look", "patient", "refuse", "die"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model of a table, as files."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300)})
    table["y"] = table["a"] + rng.normal(size=300)
    table.to_parquet(folder / "table.parquet", index=False)
    model = AutoMLRegressor(time_budget=20, max_trials=1, n_jobs=1).fit(table[["a", "b"]], table["y"])
    digest = persist.save(model, folder / "model.bin")
    return folder, digest


class Place:
    """A server's studies, without the server."""

    def __init__(self, folder: Path, made: tuple[Path, str]) -> None:
        files, self.digest = made
        self.settings = local_settings(folder)
        self.settings.spool.mkdir(parents=True)
        self.database: Database = open_database(self.settings.database_url)
        self.storage: Storage = open_storage(self.settings.storage_url)
        self.files = files
        self.dataset = new_id()
        table = (files / "table.parquet").read_bytes()
        self.storage.write_bytes(f"datasets/{self.dataset}/table.parquet", table)
        column = {"type": "number", "role": "numeric", "missing": 0, "distinct": 300, "examples": []}
        self.database.add_dataset(
            DatasetRecord(
                id=self.dataset,
                owner="ann",
                name="d",
                filename="d.csv",
                bytes=1,
                rows=300,
                created=NOW,
                digest="",
                table_digest=hashlib.sha256(table).hexdigest(),
                columns=[{**column, "name": name} for name in ("a", "b", "y")],
            )
        )
        self.keys = [self.version(), self.version()]

    def version(self) -> str:
        job = JobRecord(
            id=new_id(), owner="ann", dataset_id=self.dataset, target="y", task="regression", metric="r2",
            name="m", state="done", created=NOW, ended=NOW, time_budget=10, planned_budget=10, seed=0,
            columns=["a", "b"], server_id="s", mlflow_run_id="run",
        )  # fmt: skip
        self.database.add_job(job)
        key = model_key(job.id, 1)
        self.storage.write_bytes(key, (self.files / "model.bin").read_bytes())
        draft = VersionDraft(
            id=new_id(), job_id=job.id, dataset_id=self.dataset, created=NOW, metric="r2", score=0.5,
            low=None, high=None, baseline_score=None, key=key, digest=self.digest, bytes=1, contract=[],
            leaderboard=[], mlflow_run_id="run", mlflow_version=None,
        )  # fmt: skip
        self.database.add_version("ann", name="m", task="regression", target="y", draft=draft)
        return key

    @contextlib.asynccontextmanager
    async def studies(self) -> AsyncIterator[Studies]:
        staging = open_staging(self.settings.spool, "s")
        under_way = UnderWay()
        helper = HelperProcess(
            "automl_jupyter.services.study_process", name="studies", on_event=under_way.heard
        )
        predictions = Predictions(self.database, self.storage, helper, self.settings, staging, None)
        studies = Studies(self.database, self.storage, helper, predictions, self.settings, staging, under_way)
        try:
            yield studies
        finally:
            await studies.close()
            await helper.close()
            staging.close()

    def kept(self) -> list[str]:
        return self.storage.list("studies")


@pytest.fixture
def place(tmp_path, made, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parent}:{Path(__file__).parents[2]}")
    place = Place(tmp_path / "automl", made)
    yield place
    place.database.close()


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(60):
        while not await what():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)


async def settled(studies: Studies, *asked: object, **more: object) -> Kept | Pending:
    """Ask until it is there, or has failed."""
    async with asyncio.timeout(60):
        while True:
            found = await studies.get("ann", "m", *asked, **more)
            if isinstance(found, Kept) or found.state == "failed":
                return found
            await asyncio.sleep(0.02)


def content(found: Kept | Pending) -> dict:
    assert isinstance(found, Kept)
    return json.loads(found.content)


def test_it_is_computed_once_and_found_again(place):
    async def first() -> None:
        async with place.studies() as studies:
            begun = await studies.get("ann", "m", 1, LOOK)
            assert isinstance(begun, Pending)
            assert begun.state == "queued"
            found = await settled(studies, 1, LOOK)
            assert content(found)["task"] == "regression"
            assert content(found) == content(await studies.get("ann", "m", 1, LOOK))
            assert (content(found)["rows"], content(found)["name"], content(found)["nothing"]) == (
                300,
                "d",
                None,
            )
            assert found.version.version == 1
            # Other options, another version, others beside: other studies.
            others = [
                await settled(studies, 1, LOOK, {"a": 1}),
                await settled(studies, 2, LOOK),
                await settled(studies, 2, LOOK, None, [1]),
            ]
            assert content(others[0])["options"] == {"a": 1}
            assert content(others[2])["others"] == 1

    async def later() -> None:
        async with place.studies() as studies:
            assert isinstance(await studies.get("ann", "m", 1, LOOK), Kept)
            assert isinstance(await studies.get("ann", "m", None, LOOK), Kept), "the one in service is meant"
            assert studies.helper.pid is None

    asyncio.run(first())
    assert len(place.kept()) == 4
    asyncio.run(later())


def test_another_edition_is_made_anew_and_a_spoilt_file_as_well(place):
    async def work() -> None:
        async with place.studies() as studies:
            await settled(studies, 1, LOOK)
            (key,) = place.kept()
            place.storage.write_bytes(key, b'{"task": "forged"}')
            assert content(await settled(studies, 1, LOOK))["task"] == "regression"
            assert isinstance(await studies.get("ann", "m", 1, replace(LOOK, edition=2)), Pending)

    asyncio.run(work())


def test_how_far_it_is_can_be_seen_and_others_wait_their_turn(place, tmp_path):
    async def work() -> None:
        async with place.studies() as studies:
            end = tmp_path / "end"
            options = {"until": str(end)}

            async def half_done() -> bool:
                return (await studies.get("ann", "m", 1, PATIENT, options)).done > 0.05

            async def nothing_under_way() -> bool:
                return not studies.under_way.pending

            await until(half_done)
            assert (await studies.get("ann", "m", 1, PATIENT, options)).state == "running"
            waiting = await studies.get("ann", "m", 2, LOOK)
            assert (waiting.state, waiting.done) == ("queued", 0.0)
            end.touch()
            assert isinstance(await settled(studies, 1, PATIENT, options), Kept)
            assert isinstance(await settled(studies, 2, LOOK), Kept)
            # It is there a moment before it is no longer under way.
            await until(nothing_under_way)

    asyncio.run(work())


def test_nobody_has_more_than_so_many_wait(place, tmp_path):
    async def work() -> None:
        async with place.studies() as studies:
            options = {"until": str(tmp_path / "never")}
            for i in range(MOST_WAITING):
                await studies.get("ann", "m", 1, PATIENT, {**options, "i": i})
            await studies.get("ann", "m", 1, PATIENT, {**options, "i": 0})
            with pytest.raises(TooMany):
                await studies.get("ann", "m", 1, LOOK)

    asyncio.run(work())
    assert not place.kept()


@pytest.mark.parametrize(("kind", "error"), [(REFUSE, Unprocessable), (DIE, Unavailable)])
def test_a_failure_is_told_for_a_while_and_then_tried_again(place, kind, error):
    async def work() -> None:
        async with place.studies() as studies:
            found = await settled(studies, 1, kind)
            assert isinstance(found.error, error)
            assert (await studies.get("ann", "m", 1, kind)) is found
            found.ended -= 60
            assert (await studies.get("ann", "m", 1, kind)).state == "queued"
            # The process was started again.
            assert isinstance(await settled(studies, 2, LOOK), Kept)

    asyncio.run(work())


def test_it_is_nobody_elses_and_of_no_other_version(place):
    async def work() -> None:
        async with place.studies() as studies:
            for owner, version in (("bob", 1), ("ann", 3)):
                with pytest.raises(NotFound):
                    await studies.get(owner, "m", version, LOOK)
            with pytest.raises(NotFound):
                await studies.get("ann", "m", 1, LOOK, None, [7])

    asyncio.run(work())


def test_a_table_that_is_not_the_one_that_was_taken_in_is_refused(place):
    place.storage.write_bytes(f"datasets/{place.dataset}/table.parquet", b"PAR1")

    async def work() -> None:
        async with place.studies() as studies:
            found = await settled(studies, 1, LOOK)
            assert found.error.code == "services.dataset_tampered"

    asyncio.run(work())


def test_it_goes_with_its_model(place, tmp_path):
    async def work() -> None:
        async with place.studies() as studies:
            await settled(studies, 1, LOOK)
            await settled(studies, 2, LOOK)
            options = {"until": str(tmp_path / "end")}

            async def runs() -> bool:
                return (await studies.get("ann", "m", 1, PATIENT, options)).state == "running"

            async def is_over() -> bool:
                return not studies.under_way.pending

            await until(runs)
            erase_files(place.storage, place.database.delete_model("ann", "m"))
            assert not place.kept()
            # One that ends afterwards leaves nothing behind either.
            (tmp_path / "end").touch()
            await until(is_over)
            with pytest.raises(AutoMLError):
                await studies.get("ann", "m", 1, LOOK)

    asyncio.run(work())
    assert not place.kept()


def test_what_is_left_of_a_model_that_is_gone_is_swept(place):
    folder = place.keys[0].replace("models", "studies").removesuffix(".bin")
    for name in (folder, "studies/gone/1"):
        place.storage.write_bytes(f"{name}/look-1-ab-cd.json", b"{}")
    assert sweep(place.database, place.storage, place.settings.spool).studies == 1
    assert place.kept() == [f"{folder}/look-1-ab-cd.json"]
