"""What the server imports from here must not bring a heavy library along."""

import os
import subprocess
import sys

HEAVY = (
    "sqlalchemy",
    "alembic",
    "fsspec",
    "dask",
    "distributed",
    "mlflow",
    "pandas",
    "numpy",
    "multiprocessing",
)
LIGHT = (
    "storage",
    "process",
    "process_main",
    "child",
    "database",
    "records",
    "compute",
    "dask_host",
    "dask_task",
)
LIGHT += ("tracking", "mlflow_tracking")


def test_nothing_heavy_is_imported_before_it_is_used(tmp_path):
    code = f"""
import importlib, sys
for name in {LIGHT!r}:
    importlib.import_module("automl_jupyter.backends." + name)
from automl_jupyter.backends.storage import open_storage
open_storage({str(tmp_path)!r}).write_bytes("a", b"")
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    # Measuring coverage would import what is looked for.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=plain)
    assert done.stdout.strip() == "[]"
