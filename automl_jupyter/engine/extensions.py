"""Learners of other packages: found by an entry point, tried beside ours.

A package declares, in the group ``automl_jupyter.learners``, the name of an :class:`Extension`::

    [project.entry-points."automl_jupyter.learners"]
    stumps = "my_package.stumps:EXTENSION"

Its candidates come after ours, are judged by the same rows, and what they cost is learnt as they run. What is
installed is trusted as any import is: the names that its saved models call for are added to those that
:mod:`automl_jupyter.engine.persist` knows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from automl_jupyter.engine.learners import Params, Path, Work
from automl_jupyter.engine.portfolio import Candidate

GROUP = "automl_jupyter.learners"
OPTIONAL = ("catboost", "xgboost")
"""Packages for which there are learners here; they need not be installed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Extension:
    """A family of models from elsewhere.

    Attributes
    ----------
    family : str
        Its name, one that no other family has.
    fit : callable
        Fits one fold on one thread, (Work, parameters) to Path, and asks the clock of the work often; see
        :mod:`automl_jupyter.engine.learners`.
    view : str
        The view that it reads, such as ``tree`` or ``linear``.
    candidates : tuple of Candidate
        What is tried, in order, each of this family.
    types : tuple of (str, str)
        Module and name of each class or function that a pickle of its models calls for.
    """

    family: str
    fit: Callable[[Work, Params], Path]
    view: str
    candidates: tuple[Candidate, ...]
    types: tuple[tuple[str, str], ...] = ()


@cache
def installed() -> tuple[Extension, ...]:
    """Find the extensions that are installed; one that cannot be loaded is left out, with a warning."""
    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            extension = point.load()
        except ModuleNotFoundError as error:
            if error.name not in OPTIONAL:
                log.warning("the learner %s is left out: %s", point.value, error)
            continue
        except (ImportError, AttributeError) as error:
            log.warning("the learner %s is left out: %s", point.value, error)
            continue
        if isinstance(extension, Extension):
            found.append(extension)
        else:
            log.warning("the learner %s is left out: it is no Extension", point.value)
    return tuple(found)
