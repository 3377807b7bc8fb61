"""Models and trials as files: written whole or not at all, read only if they are what was written.

A pickle can run code, whatever wraps it. So a file is read only after its digest is checked, and then by an
unpickler that knows a list of names, which stands here and not in the file.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tempfile
from pathlib import Path

from automl_jupyter.errors import Conflict, Unprocessable

_OURS = {
    "automl_jupyter.engine.boosting": ("BoosterModel", "rebuild"),
    "automl_jupyter.engine.cluster": ("AutoMLClusterer", "Centres", "Groups", "OneGroup"),
    "automl_jupyter.engine.columns": ("Cells", "Layout"),
    "automl_jupyter.engine.conformal": ("Bands",),
    "automl_jupyter.engine.contract": ("ColumnContract", "Contract"),
    "automl_jupyter.engine.encoding": ("Encoding",),
    "automl_jupyter.engine.ensemble": ("Ensemble", "Member"),
    "automl_jupyter.engine.estimators": ("AutoMLClassifier", "AutoMLRegressor", "Evaluation"),
    "automl_jupyter.engine.fitting": ("Material", "Part"),
    "automl_jupyter.engine.forest": ("ForestModel",),
    "automl_jupyter.engine.grouping.contest": ("Evidence",),
    "automl_jupyter.engine.grouping.methods": ("Centres", "Examples"),
    "automl_jupyter.engine.grouping.mixture": ("Mixture",),
    "automl_jupyter.engine.grouping.profile": ("Profile", "Trait"),
    "automl_jupyter.engine.grouping.space": ("Space",),
    "automl_jupyter.engine.learners": ("ConstantModel",),
    "automl_jupyter.engine.kernel": ("Kernel", "KernelMean", "KernelModel"),
    "automl_jupyter.engine.linear": ("Curves", "LinearMean", "LinearModel", "SplineModel"),
    "automl_jupyter.engine.merging": ("OneOf", "Share"),
    "automl_jupyter.engine.neighbours": ("Examples", "NeighbourModel"),
    "automl_jupyter.engine.neural": ("NeuralMean", "NeuralModel"),
    "automl_jupyter.engine.nn_bins": ("Bins", "BinsOfSeveral"),
    "automl_jupyter.engine.nn_network": ("Design",),
    "automl_jupyter.engine.outlook": ("Point",),
    "automl_jupyter.engine.preprocess": ("Preprocessor", "TextModel", "Views"),
    "automl_jupyter.engine.resample": ("Folds",),
    "automl_jupyter.engine.skewed": ("LogModel", "Scale"),
    "automl_jupyter.engine.task": ("Target",),
    "automl_jupyter.engine.words": ("WordsModel",),
    "automl_jupyter.engine.trials": ("FinishedTrial", "Trial"),
}
_PUBLIC = {
    "numpy": ("dtype", "ndarray", "float32", "float64"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.numeric": ("_frombuffer",),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy.core.numeric": ("_frombuffer",),
    "sklearn.feature_extraction.text": ("TfidfTransformer", "TfidfVectorizer"),
    "sklearn.tree._tree": ("Tree",),
}

ALLOWED = frozenset(
    (module, name) for group in (_OURS, _PUBLIC) for module, names in group.items() for name in names
)
"""The names that a file may call for: our own classes, numpy's arrays, scikit-learn's compiled trees and
vectoriser. LightGBM's models are kept as text."""


def _of_extensions() -> set[tuple[str, str]]:
    """The names that models of installed extensions call for."""
    from automl_jupyter.engine.extensions import installed

    return {name for extension in installed() for name in extension.types}


class _Anything:
    """Stands in for whatever a pickle makes."""

    def __new__(cls, *args: object) -> _Anything:
        return object.__new__(cls)

    def __init__(self, *args: object) -> None:
        """Take anything."""

    def __setstate__(self, state: object) -> None:
        """Take anything."""


class _Checker(pickle.Unpickler):
    """Checks the names that a pickle calls for and makes nothing of it, which is much quicker."""

    def find_class(self, module: str, name: str) -> object:
        _check(module, name)
        return _Anything


def _check(module: str, name: str) -> None:
    if (module, name) not in ALLOWED and (module, name) not in _of_extensions():
        raise Unprocessable("engine.untrusted_type", type=f"{module}.{name}")


class _Reader(pickle.Unpickler):
    """Finds the names of :data:`ALLOWED` and no others."""

    def find_class(self, module: str, name: str) -> object:
        _check(module, name)
        return super().find_class(module, name)


def save(obj: object, path: Path) -> str:
    """Write a model or a finished trial.

    Parameters
    ----------
    obj : object
        A fitted estimator or a FinishedTrial.
    path : Path
        Where to; the file appears whole (temporary file beside it, then rename).

    Returns
    -------
    str
        SHA-256 of the file in hexadecimal, to be kept elsewhere and given to :func:`load`.

    Raises
    ------
    Unprocessable
        ``engine.untrusted_type`` if :func:`load` would refuse it; nothing is written then.
    """
    content = pickle.dumps(obj, protocol=5)
    _Checker(io.BytesIO(content)).load()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return hashlib.sha256(content).hexdigest()


def load(path: Path, digest: str) -> object:
    """Read what :func:`save` wrote.

    Parameters
    ----------
    path : Path
        The file.
    digest : str
        What :func:`save` returned.

    Raises
    ------
    Conflict
        ``engine.tampered`` if the file is not what was written; nothing of it is read then.
    Unprocessable
        ``engine.untrusted_type`` if it calls for a name that is not known here.
    """
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise Conflict("engine.tampered", file=path.name)
    return loads(content)


def loads(content: bytes) -> object:
    """Read a pickle that calls for known names alone.

    Raises
    ------
    Unprocessable
        ``engine.untrusted_type`` for another name; ``engine.unreadable`` if it is of a release whose models
        cannot be read any more.
    """
    try:
        return _Reader(io.BytesIO(content)).load()
    except (AttributeError, EOFError, IndexError, TypeError, ValueError, pickle.UnpicklingError) as error:
        if isinstance(error, Unprocessable):
            raise
        raise Unprocessable("engine.unreadable", reason=f"{type(error).__name__}: {error}") from error
