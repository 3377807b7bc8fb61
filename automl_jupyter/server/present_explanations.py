"""Explanations as the contract shows them, with sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from automl_jupyter import messages, schemas
from automl_jupyter.engine.explain.told import segment
from automl_jupyter.server.present import notice, row_warning

HALF = 0.5
NEARLY_ALL = 0.95


def explanation(name: str, version: int, found: Mapping[str, Any], language: str) -> schemas.Explanation:
    """What a version has learnt."""
    weak = found["segments"]
    items = [segment(item, weak["loss"], language) for item in weak["items"]]
    return schemas.Explanation.model_validate(
        {
            **found,
            "model": name,
            "version": version,
            "notes": [notice(note, language) for note in notes_of(found)],
            "segments": {**weak, "items": items},
        }
    )


def notes_of(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to bear in mind when reading an explanation."""
    share = found["importance"]["share"]
    notes: list[dict[str, Any]] = []
    if share == 0:
        notes.append({"code": "explanations.seen_rows"})
    elif share < NEARLY_ALL:
        notes.append({"code": "explanations.part_of_ensemble", "params": {"percent": round(100 * share)}})
    groups = [group["columns"] for group in found["importance"]["groups"] if len(group["columns"]) > 1]
    notes += [{"code": "explanations.shuffled_together", "params": {"columns": group}} for group in groups]
    notes.append(
        {"code": f"explanations.scale_{found['contributions']['scale']}", "params": _positive(found)}
    )
    for curve in found["dependences"]:
        notes += [
            {
                "code": "explanations.acts_together",
                "params": {"column": curve["column"], "other": partner["column"]},
            }
            for partner in curve["together_with"][:1]
        ]
    if not found["segments"]["items"]:
        notes.append({"code": "explanations.no_segments", "params": {"n": found["segments"]["judged"]}})
    return notes


def _positive(found: Mapping[str, Any]) -> dict[str, Any]:
    outputs = found["contributions"]["outputs"]
    return {"target": found["target"], "label": str(outputs[0])}


def rows(name: str, version: int, found: Mapping[str, Any], language: str) -> schemas.RowExplanations:
    """Rows explained."""
    return schemas.RowExplanations.model_validate(
        {
            **found,
            "model": name,
            "version": version,
            "notes": [notice(note, language) for note in found["notes"]],
            "rows": [
                {**row, "warnings": [row_warning(item, language) for item in row["warnings"]]}
                for row in found["rows"]
            ],
        }
    )


def comparison(
    name: str, versions: Sequence[int], found: Mapping[str, Any], language: str
) -> schemas.Comparison:
    """Two versions on the same rows."""
    low, high = found["interval"]
    verdict = "tied"
    if low is not None and low > 0:
        verdict = "better"
    elif high is not None and high < 0:
        verdict = "worse"
    params = {"first": versions[0], "second": versions[1], "n": found["rows"], "metric": found["metric"]}
    message = messages.render(f"explanations.second_{verdict}", params, language)
    return schemas.Comparison.model_validate(
        {**found, "model": name, "versions": tuple(versions), "message": message}
    )
