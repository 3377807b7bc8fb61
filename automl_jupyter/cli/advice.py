"""What to type after ``train`` so that findings are acted on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from automl_jupyter.client.actions import combined

if TYPE_CHECKING:
    from automl_jupyter.schemas import Dataset, Finding


def options(finding: Finding, dataset: Dataset, target: str | None) -> list[str]:
    """The options that act on a finding; none where nothing is to be done, or is done anyway."""
    return list(_typed(finding.action or {}, dataset, target))


def all_options(findings: Iterable[Finding], dataset: Dataset, target: str | None) -> list[str]:
    """The options that act on what is serious or a warning; of groups and order of time, on the first."""
    wish = combined(f.action for f in findings if f.action is not None and f.severity != "info")
    both = [name for name in wish if name in ("groups", "time_column")]
    return list(_typed({name: wish[name] for name in wish if name not in both[1:]}, dataset, target))


def _typed(action: Mapping[str, Any], dataset: Dataset, target: str | None) -> Iterator[str]:
    if "columns" in action:
        for name in _learnt(dataset, target):
            if name not in action["columns"]:
                yield from ("--exclude", name)
    yield from typed(action)


def typed(action: Mapping[str, Any]) -> Iterator[str]:
    """The options that say what fields of a request to train say, except for its columns."""
    for field in ("groups", "time_column"):
        if field in action:
            yield from (f"--{field.replace('_', '-')}", action[field])
    for field, option in (("max_trials", "--max-trials"), ("max_predict_ms", "--max-ms")):
        if field in action:
            yield from (option, str(action[field]))
    if action.get("drop_duplicates"):
        yield "--drop-duplicates"
    for column, values in action.get("missing_values", {}).items():
        for value in values:
            yield from ("--missing", f"{column}={value}")


def _learnt(dataset: Dataset, target: str | None) -> list[str]:
    """The columns that are learnt from unless others are named."""
    from automl_jupyter.schemas import UNLEARNT_ROLES

    return [c.name for c in dataset.columns if c.name != target and c.role not in UNLEARNT_ROLES]


def unknown(dataset: Dataset, names: Iterable[str]) -> list[str]:
    """Those names that no column has."""
    known = {column.name for column in dataset.columns}
    return [name for name in names if name not in known]


def remaining(
    dataset: Dataset, target: str | None, excluded: Sequence[str], columns: Sequence[str] | None
) -> list[str]:
    """The columns to learn from without some, of those that are named or else of all."""
    return [name for name in columns or _learnt(dataset, target) if name not in excluded]


def by_column(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str | float]]:
    """Values that stand for a missing one, by column."""
    found: dict[str, list[str | float]] = {}
    for column, value in pairs:
        found.setdefault(column, []).append(value)
    return found
