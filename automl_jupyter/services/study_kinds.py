"""What can be computed of a model version and kept beside it, and where it stands in the storage.

To add a kind: write a function that takes a :class:`automl_jupyter.services.studying.Subject` and a function
that is told how far it is (0 to 1), and returns the bytes to keep; name it here as a :class:`Kind`; have a
handler ask :meth:`automl_jupyter.services.studies.Studies.get` for it. The function runs in a process of its
own, beside the server, and nothing else has to be done: it is computed when it is first asked for, kept,
found again by its digest, and erased with the model. Nothing heavy is imported here: the server reads this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MODELS, _STUDIES = "models/", "studies/"


@dataclass(frozen=True)
class Kind:
    """Something that can be computed of a model version.

    Attributes
    ----------
    name : str
        Letters and underscores; part of the key.
    maker : str
        ``module:function`` of what computes it.
    edition : int
        To be raised when what it computes changes: what was kept of an earlier edition is then made anew.
    suffix : str
        Of the file.
    """

    name: str
    maker: str
    edition: int = 1
    suffix: str = "json"


EXPLAIN = Kind("explain", "automl_jupyter.services.study_explain:explain")
DEPEND = Kind("depend", "automl_jupyter.services.study_explain:depend")
CHARTS = Kind("charts", "automl_jupyter.services.study_reports:charts", edition=2)
MEANINGS_CHARTS = Kind("meanings", "automl_jupyter.services.study_reports:meanings", edition=2)
LEARNING = Kind("learning", "automl_jupyter.services.study_learning:learning")
REPORT = Kind("report", "automl_jupyter.services.study_reports:report", suffix="txt")
COMPARE = Kind("compare", "automl_jupyter.services.study_explain:compare")
EXPORTS: Mapping[str, Kind] = {
    "notebook": Kind("export_notebook", "automl_jupyter.services.study_generated:notebook", suffix="zip"),
    "python": Kind("export_python", "automl_jupyter.services.study_generated:python", suffix="zip"),
    "onnx": Kind("export_onnx", "automl_jupyter.services.study_files:onnx", suffix="onnx"),
    "mlflow": Kind("export_mlflow", "automl_jupyter.services.study_files:mlflow", suffix="zip"),
}
"""What a version can be exported as, by format; the suffix is that of the file that is sent."""


def folder_of(model_key: str) -> str:
    """The folder of all that is kept beside the model with this key: ``models/a/1.bin``, ``studies/a/1``."""
    return _STUDIES + model_key.removeprefix(_MODELS).removesuffix(".bin")


def model_of(study_key: str) -> str:
    """The key of the model that something is kept beside."""
    return _MODELS + study_key.removeprefix(_STUDIES).rpartition("/")[0] + ".bin"


def stem_of(kind: Kind, options: Mapping[str, Any]) -> str:
    """How the name of a kept file begins: kind, edition and what was asked for; its digest follows."""
    asked = json.dumps(options, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return f"{kind.name}-{kind.edition}-{hashlib.sha256(asked.encode()).hexdigest()[:16]}-"
