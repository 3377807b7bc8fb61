"""What is known of a data set that was taken in."""

from __future__ import annotations

import asyncio

import pytest

from automl_jupyter import errors
from automl_jupyter.backends.database import open_database
from automl_jupyter.backends.process import HelperProcess
from automl_jupyter.backends.storage import open_storage
from automl_jupyter.services.datasets import TABLE, Datasets, dataset_key
from automl_jupyter.services.recent import Recent
from automl_jupyter.services.settings import local_settings
from automl_jupyter.services.staging import open_staging

ROWS = "".join(f"{n},{n % 7},{'yes' if n % 7 > 3 else 'no'}\n" for n in range(100))


def test_what_was_not_used_for_longest_is_forgotten():
    recent = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


@pytest.mark.slow
def test_findings_are_looked_for_once(tmp_path):
    settings = local_settings(tmp_path)
    settings.spool.mkdir(parents=True)
    source = tmp_path / "t.csv"
    source.write_text("n,score,bought\n" + ROWS)

    async def ask():
        database, storage = open_database(settings.database_url), open_storage(settings.storage_url)
        staging = open_staging(settings.spool, "server")
        tables = HelperProcess("automl_jupyter.services.table_process", name="tables")
        datasets = Datasets(database, storage, tables, staging)
        try:
            made = await datasets.take_in("ann", source, "t.csv", consume=False)
            first = await datasets.findings("ann", made.id, "bought")
            # A second look would miss the table.
            storage.delete(dataset_key(made.id, TABLE))
            assert await datasets.findings("ann", made.id, "bought") == first
            with pytest.raises(errors.AutoMLError):
                await datasets.findings("ann", made.id, None)
            with pytest.raises(errors.NotFound):
                await datasets.findings("bob", made.id, "bought")
            return first
        finally:
            await tables.close()
            staging.close()
            database.close()

    assert asyncio.run(ask())[0]["code"] == "findings.leak_strong"
