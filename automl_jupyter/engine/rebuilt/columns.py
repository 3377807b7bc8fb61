"""Code that loads the table and makes of it what the learner reads: numbers, and codes of categories."""

from __future__ import annotations

import numpy as np

from automl_jupyter.engine import columns
from automl_jupyter.engine.preprocess import (
    TEXT_CHARACTERS,
    TEXT_PARTS,
    TEXT_ROWS,
    TEXT_TERMS,
    Views,
)
from automl_jupyter.engine.rebuilt.cell import Cell, code_of, quoted, said
from automl_jupyter.engine.rebuilt.recipe import Recipe

_EARLIEST, _LATEST = -6e10, 2.5e11
_LARGEST = 1e30

_MOMENTS = """\
def parts_of(moments):
    seconds = (moments - pd.Timestamp("1970-01-01")) / pd.Timedelta(seconds=1)
    at = moments.dt
    return {
        "days": seconds / 86_400,
        "year": at.year,
        "month": at.month,
        "day": at.day,
        "weekday": at.day_of_week,
        "day of the year": at.day_of_year,
        "hour": seconds % 86_400 / 3600,
    }
"""

_TEXTS = """\
def components_of(matrix, parts):
    basis = np.random.default_rng(SEED).standard_normal((matrix.shape[1], min(parts + 10, *matrix.shape)))
    for _ in range(4):
        basis, _ = np.linalg.qr(matrix.T @ (matrix @ basis))
    _, _, turned = np.linalg.svd(matrix @ basis, full_matrices=False)
    return np.ascontiguousarray((basis @ turned.T).T[:parts])


def traits_of(texts):
    found = {
        "length": texts.str.len(),
        "spaces": texts.str.count(" "),
        "digits": texts.map(lambda text: sum(c.isdigit() for c in text)),
    }
    words = TfidfVectorizer(sublinear_tf=True, min_df=3, max_features=@terms@, ngram_range=(1, 2))
    texts = texts.tolist()
    characters = sum(map(len, texts))
    some = texts[:: max(1, len(texts) // @rows@, characters // @characters@)]
    try:
        matrix = words.fit_transform(some)
    except ValueError:  # no term occurs three times
        return found
    parts = min(@parts@, min(matrix.shape) - 1)
    if parts > 0:
        values = words.transform(texts) @ components_of(matrix, parts).T
        found |= {f"part {i + 1}": values[:, i] for i in range(parts)}
    return found
"""

_CODES = f"""\
def codes_of(labels):
    counts = labels.value_counts()
    order = sorted(counts.index, key=lambda label: (-counts[label], label))
    codes = {{label: {columns.FIRST} + place for place, label in enumerate(order[:{columns.KEPT_LEVELS}])}}
    known = labels.map(codes).astype("float64").fillna({columns.OTHER})
    return known.where(labels.notna(), {columns.MISSING})
"""

_QUANTITY = """\
values = table[TARGET].to_numpy("float64")
unit = np.abs(values).max()
shift, scale = (values / unit).mean() * unit, (values / unit).std() * unit
y = ((values - shift) / scale).astype(np.float32)
margin = 0.1 * (values.max() / 2 - values.min() / 2)
lowest, highest = values.min() - margin, values.max() + margin
"""


def listed(name: str, values: list[str]) -> str:
    """Write a list of names, one a line where they are many."""
    flat = f"{name} = [{', '.join(map(quoted, values))}]"
    if len(flat) <= 100:
        return flat
    return "\n".join([f"{name} = [", *(f"    {quoted(value)}," for value in values), "]"])


def cells(recipe: Recipe, path: str, language: str) -> list[Cell]:
    """Cells from the file to the matrix and the coded target.

    Parameters
    ----------
    recipe : Recipe
        What is to be made again.
    path : str
        The expression for the path of the table.
    language : str
        Of the sentences.
    """
    plan = recipe.preprocessor.plan
    names = {
        "NUMBERS": [c.name for c in plan.numbers if c.kind != "datetime"],
        "MOMENTS": [c.name for c in plan.numbers if c.kind == "datetime"],
        "TEXTS": [c.name for c in plan.texts],
        "CATEGORIES": [c.name for c in plan.categories],
    }
    used = {kind: some for kind, some in names.items() if some}
    lists = [f"TARGET = {quoted(recipe.name)}", *(listed(kind, some) for kind, some in used.items())]
    data = code_of("\n".join(lists), f"table = pd.read_parquet({path})\ntable.head()")
    n = len(recipe.table)
    coding = said("quantity", language) if recipe.target.classes is None else said("classes", language)
    return [
        said("data", language, rows=n, given=recipe.given),
        data,
        said("columns", language),
        *(said(f"columns_{kind.lower()}", language) for kind in used if kind != "NUMBERS"),
        *_prepared(recipe, used),
        coding,
        code_of(_coded(recipe)),
    ]


def _prepared(recipe: Recipe, used: dict[str, list[str]]) -> list[Cell]:
    functions = {
        "MOMENTS": _MOMENTS,
        "TEXTS": _TEXTS.replace("@terms@", str(TEXT_TERMS))
        .replace("@rows@", f"{TEXT_ROWS:_}")
        .replace("@characters@", f"{TEXT_CHARACTERS:_}")
        .replace("@parts@", str(TEXT_PARTS)),
        "CATEGORIES": _CODES,
    }
    made = [Cell(functions[kind].strip("\n")) for kind in used if kind in functions]
    lines = ["numbers = {}"]
    if "NUMBERS" in used:
        lines = ['numbers = {name: table[name].astype("float64") for name in NUMBERS}']
    if "MOMENTS" in used:
        moments = "parts_of(table[name])"
        if _far(recipe):
            moments = "parts_of(table[name].clip(EARLIEST, LATEST))"
            ends = [np.datetime64(int(end), "s") for end in (_EARLIEST, _LATEST)]
            lines.insert(0, f'EARLIEST, LATEST = pd.Timestamp("{ends[0]}"), pd.Timestamp("{ends[1]}")')
        lines.append("for name in MOMENTS:")
        lines.append(f'    numbers |= {{f"{{name}}, {{part}}": v for part, v in {moments}.items()}}')
    if "TEXTS" in used:
        lines.append("with threadpool_limits(1):  # sums on several threads round otherwise")
        lines.append("    for name in TEXTS:")
        lines.append(
            '        numbers |= {f"{name}, {part}": v for part, v in traits_of(table[name]).items()}'
        )
    lines += [
        "numbers = pd.DataFrame(numbers, index=table.index)",
        "numbers = numbers.loc[:, numbers.nunique(dropna=False) > 1]",
        *_shifted(recipe),
    ]
    if "CATEGORIES" in used:
        lines.append("categories = pd.DataFrame({name: codes_of(table[name]) for name in CATEGORIES})")
        lines.append("X = np.hstack([numbers.to_numpy(np.float32), categories.to_numpy(np.float32)])")
    else:
        lines.append("X = numbers.to_numpy(np.float32)")
    lines.append("X.shape")
    return [*made, Cell("\n".join(lines))]


def _far(recipe: Recipe) -> bool:
    """Tell whether a moment is beyond the years that are told apart."""
    moments = recipe.cells.numbers[:, recipe.preprocessor.moments]
    with np.errstate(invalid="ignore"):
        return bool(((moments < _EARLIEST) | (moments > _LATEST)).any())


def _shifted(recipe: Recipe) -> list[str]:
    """Lines for numbers that single precision could not tell apart, or not hold."""
    of = recipe.preprocessor
    numbers = Views(of, recipe.cells, of.views(recipe.cells).numbers).numbers - of.offset
    lines = [
        f"numbers.iloc[:, {j}] -= {float(offset)!r}  # else too large to be told apart in float32"
        for j, offset in enumerate(of.offset)
        if offset
    ]
    with np.errstate(invalid="ignore"):
        if (np.abs(numbers) > _LARGEST).any():
            lines.append(f"numbers = numbers.clip(-{_LARGEST:g}, {_LARGEST:g})")
    return lines


def _coded(recipe: Recipe) -> str:
    if recipe.target.classes is None:
        return _QUANTITY
    return "classes, y = np.unique(table[TARGET].to_numpy(), return_inverse=True)\nclasses"
