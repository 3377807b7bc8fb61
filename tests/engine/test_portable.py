import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import automl_jupyter
from automl_jupyter.engine import AutoMLRegressor, persist

PACKAGE = Path(automl_jupyter.__file__).parent
CARRIED = ("__init__.py", "errors.py", "messages.py", "engine", "data", "locale")

PREDICT = """
import sys
sys.modules.update(dict.fromkeys(("pydantic", "pyarrow", "tornado", "mlflow", "dask"), None))
from pathlib import Path
from automl_jupyter.engine import persist
model = persist.load(Path(sys.argv[1]), sys.argv[2])
print(persist.__file__)
print(*model.predict_rows([{"size": 9, "colour": "red"}]).values)
"""


@pytest.mark.slow
def test_a_model_predicts_where_only_the_engine_and_public_packages_are(mixed, tmp_path, one_of_each):
    X, y = mixed
    model = AutoMLRegressor(time_budget=60).fit(X[["size", "colour"]], y)
    digest = persist.save(model, tmp_path / "model")
    code = tmp_path / "code" / "automl_jupyter"
    code.mkdir(parents=True)
    for name in CARRIED:
        copy = shutil.copytree if (PACKAGE / name).is_dir() else shutil.copy
        copy(PACKAGE / name, code / name)
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, str(tmp_path / "model"), digest],
        env={**os.environ, "PYTHONPATH": str(code.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    where, value = done.stdout.split("\n")[:2]
    assert Path(where).is_relative_to(code)
    assert float(value) == model.predict_rows([{"size": 9, "colour": "red"}]).values[0]
