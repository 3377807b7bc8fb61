"""A recipe as a notebook or as a script, with its table beside it, in one archive."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from automl_jupyter import messages
from automl_jupyter.engine.portable import requirements
from automl_jupyter.engine.rebuilt import columns, scores, training
from automl_jupyter.engine.rebuilt.cell import Cell, gap, quoted, said
from automl_jupyter.engine.rebuilt.recipe import Recipe

TABLE = "table.parquet"
NEEDED = ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")


def cells_of(recipe: Recipe, title: str, path: str, language: str) -> list[Cell]:
    """Write all cells.

    Parameters
    ----------
    recipe : Recipe
        What is to be made again.
    title : str
        The name of the model.
    path : str
        The expression for the path of the table.
    language : str
        Of the sentences.
    """
    low, high = recipe.trial.interval
    pinned = [one for one in requirements() if one.partition("==")[0] in NEEDED]
    pinned.append(f"pyarrow=={version('pyarrow')}")
    about = said(
        "about",
        language,
        model=title,
        trial=recipe.trial.name,
        target=recipe.name,
        metric=recipe.metric,
        score=messages.written(recipe.trial.score, ".6f", language),
        low=messages.written(low, ".6f", language),
        high=messages.written(high, ".6f", language),
        ensemble=messages.written(recipe.ensemble, ".6f", language),
        packages=", ".join(pinned),
    )
    left_out = [said("left_out", language, names=list(recipe.better))] if recipe.better else []
    return [
        about,
        *left_out,
        Cell(_imports(recipe, path)),
        *columns.cells(recipe, path, language),
        *training.cells(recipe, language),
    ]


def _imports(recipe: Recipe, path: str) -> str:
    special = {"binary": "expit", "multiclass": "softmax"}.get(recipe.target.task)
    metric = scores.SCORES[recipe.metric].imported
    texts = bool(recipe.preprocessor.plan.texts)
    lines = [
        "from pathlib import Path\n" if "Path" in path else "",
        "import lightgbm as lgb",
        "import numpy as np",
        "import pandas as pd",
        f"from scipy.special import {special}" if special else "",
        "from sklearn.feature_extraction.text import TfidfVectorizer" if texts else "",
        f"from sklearn.metrics import {metric}" if metric else "",
        "from threadpoolctl import threadpool_limits" if texts else "",
        f"\nSEED, WIDTH = {recipe.seed}, {recipe.width}",
    ]
    return "\n".join(line for line in lines if line)


def notebook(recipe: Recipe, title: str, language: str) -> str:
    """Write a notebook of format 4.5, with the cells not run yet."""
    made = []
    for i, cell in enumerate(cells_of(recipe, title, quoted(TABLE), language)):
        one: dict[str, Any] = {
            "cell_type": "code" if cell.code else "markdown",
            "id": f"cell-{i + 1}",
            "metadata": {},
            "source": cell.content.splitlines(keepends=True),
        }
        made.append({**one, "execution_count": None, "outputs": []} if cell.code else one)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    told = {
        "cells": made,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def script(recipe: Recipe, title: str, language: str) -> str:
    """Write a script whose cells are told by ``# %%``, as editors know them."""
    cells = cells_of(recipe, title, f'Path(__file__).with_name("{TABLE}")', language)
    text = ""
    for before, cell in zip([Cell(""), *cells], cells, strict=False):
        told = "# %%\n" + cell.content if cell.code else _remark(cell)
        text += (gap(before.content, cell.content) if text else "") + told
    return text + "\n"


def _remark(cell: Cell) -> str:
    lines = (f"# {line}".rstrip() for line in cell.content.splitlines())
    return "\n".join(["# %% [markdown]", *lines])


WRITERS: Mapping[str, tuple[str, Callable[[Recipe, str, str], str]]] = {
    "notebook": ("ipynb", notebook),
    "python": ("py", script),
}
"""What may be written: how the file's name ends, and who writes it."""


def archive(recipe: Recipe, title: str, format_: str, language: str) -> bytes:
    """Put what is written and its table into a zip.

    Parameters
    ----------
    recipe : Recipe
        What is to be made again.
    title : str
        Names the model, and the files; letters, digits and ``._-``.
    format_ : str
        One of the keys of :data:`WRITERS`.
    language : str
        One of :data:`automl_jupyter.messages.LANGUAGES`.
    """
    ending, write = WRITERS[format_]
    table, packed = io.BytesIO(), io.BytesIO()
    recipe.table.to_parquet(table, index=False)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{title}/{title}.{ending}", write(recipe, title, language))
        file.writestr(f"{title}/{TABLE}", table.getvalue())
    return packed.getvalue()
