"""A model version as a file that others can run; runs in the process that studies."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from automl_jupyter.backends import mlflow_files
from automl_jupyter.engine import to_onnx
from automl_jupyter.services.studying import Subject, Tell
from automl_jupyter.services.tracked import described, tracked_model


def onnx(subject: Subject, tell: Tell) -> bytes:
    """The quick model as an ONNX file."""
    return to_onnx(subject.model)


def mlflow(subject: Subject, tell: Tell) -> bytes:
    """A zip of the folder that ``mlflow.pyfunc.load_model`` loads, called as the version is."""
    # To have taken the model is to have checked the file.
    told = described(subject.model.contract_)
    file, name = Path(subject.files[0]["path"]), subject.job["model_name"]
    tell(0.2)
    folder = mlflow_files.save(tracked_model(subject.job["owner"], name, file, told), subject.scratch)
    tell(0.9)
    return _zipped(folder, f"{name}-{subject.version['version']}")


def _zipped(folder: Path, name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{name}/{path.relative_to(folder).as_posix()}")
    return content.getvalue()
