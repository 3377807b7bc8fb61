"""Charts and the card of a model version; runs in the process that studies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from automl_jupyter import messages
from automl_jupyter.data.findings import findings
from automl_jupyter.data.profile import profile
from automl_jupyter.engine import AutoMLClusterer, columns, requirements
from automl_jupyter.engine.charts import board, classes, clusters, meaning, quantities, table
from automl_jupyter.engine.charts.chart import Chart, plain, said
from automl_jupyter.engine.estimators import AutoMLSupervised
from automl_jupyter.engine.explain.told import segment
from automl_jupyter.engine.report import card, written
from automl_jupyter.engine.report.pictures import pictures
from automl_jupyter.services import study_explain
from automl_jupyter.services.shelf import Model
from automl_jupyter.services.studying import Subject, Tell, as_json


def charts(subject: Subject, tell: Tell) -> bytes:
    """What is seen of the model on rows that it had not learnt from, of its search, and of its data."""
    found = model_charts(subject)
    tell(0.5)
    wanted = [*subject.job["features"], *([subject.job["target"]] if subject.job["target"] else [])]
    rows = subject.table[wanted]
    known = profile(Path(subject.table_path))
    kept = {"rows": known["rows"], "columns": _of(known, wanted)}
    return as_json([chart.to_dict() for chart in [*found, *table.charts(kept, rows)]])


def _of(known: Mapping[str, Any], wanted: list[str]) -> list[Mapping[str, Any]]:
    by_name = {column["name"]: column for column in known["columns"]}
    return [by_name[name] for name in wanted]


def model_charts(subject: Subject) -> list[Chart]:
    """The charts of a model and of its search."""
    model = subject.model
    found = _of_groups(model, subject) if isinstance(model, AutoMLClusterer) else _of_answers(model)
    return [*found, *board.charts(model.trials_, model.metric_)]


def _of_answers(model: AutoMLSupervised) -> list[Chart]:
    seen = model.evaluation_
    if model.task_ == "regression":
        return quantities.charts(seen.truth.astype(np.float64), seen.predictions)
    truth = seen.truth.astype(np.intp)
    return classes.charts(truth, seen.predictions, model.contract_.classes, part=seen.part)


def _of_groups(model: AutoMLClusterer, subject: Subject) -> list[Chart]:
    if model.groups_ is None or not model.profiles_:  # of an earlier release
        return []
    cells, _ = columns.read_frame(model.preprocessor_.plan, subject.features)
    points = model.groups_.space.points(model.preprocessor_.views(cells))
    labels = model.groups_.predict(model.preprocessor_.views(cells)).argmax(axis=1)
    found = [clusters.sizes(model.profiles_), clusters.evidence(model.evidence_)]
    traits = clusters.traits(model.profiles_)
    return [*found, clusters.places(points, labels), *([] if traits is None else [traits])]


def meanings(subject: Subject, tell: Tell) -> bytes:
    """Why the model says what it says: importance, and what the most important columns change."""
    found = json.loads(study_explain.explain(subject, tell))
    groups = found["importance"]["groups"]
    made = []
    if groups:
        made.append(
            meaning.importance(
                [" + ".join(group["columns"]) for group in groups],
                [group["drop"] or 0.0 for group in groups],
                [_interval(group) for group in groups],
            )
        )
    for curve in found["dependences"]:
        output = curve["outputs"][curve["output"]]
        what = plain(found["target"])
        if output is not None:
            what = said("charts.axis_probability_of", target=what, label=plain(output))
        mean = np.array(curve["mean"])[:, curve["output"]]
        made.append(
            meaning.dependence(curve["column"], curve["values"], mean, np.array(curve["curves"]), what)
        )
    return as_json([chart.to_dict() for chart in made])


def _interval(group: Mapping[str, Any]) -> tuple[float, float]:
    low, high = (group["drop"] if end is None else end for end in group["interval"])
    return float(low or 0.0), float(high or 0.0)


def report(subject: Subject, tell: Tell) -> bytes:
    """The model card, in the format and the language that the options name."""
    language = subject.options["language"]
    model = subject.model
    by_name = {chart.name: chart for chart in model_charts(subject)}
    tell(0.1)
    explained: dict[str, Any] = {}
    if isinstance(model, AutoMLSupervised):
        explained = json.loads(study_explain.explain(subject, lambda done: tell(0.1 + 0.7 * done)))
    facts = _facts(subject, model, explained, language)
    tell(0.9)
    drawn = pictures(model, by_name, language) if by_name.keys() - {"leaderboard", "budget"} else []
    sections = card.sections(facts, drawn, language)
    title = card.title(facts, language)
    if subject.options["format"] == "markdown":
        return written.markdown(title, sections).encode()
    return written.html(title, sections, language).encode()


def _facts(subject: Subject, model: Model, explained: Mapping[str, Any], language: str) -> card.Facts:
    def told(item: Mapping[str, Any]) -> str:
        return messages.render(item["code"], item.get("params"), language)

    dataset, version, job = subject.dataset, subject.version, subject.job
    groups = explained["importance"]["groups"] if explained else []
    weak = explained["segments"] if explained else {"items": []}
    said: list[tuple[str, tuple[str, ...]]] = []
    verdict = None
    if isinstance(model, AutoMLClusterer):
        verdict = model.verdict_
        for one in model.profiles_:
            traits = (messages.render(t.code, t.params, language) for t in one.traits)
            said.append((messages.render(*one.sentence, language), tuple(traits)))
    found = findings(Path(subject.table_path), dataset["columns"], job["target"])
    return card.Facts(
        name=job["model_name"],
        version=version["version"],
        contract=model.contract_,
        metric=model.metric_,
        score=model.score_,
        interval=model.interval_,
        baseline=version["baseline_score"],
        trials=model.trials_,
        dataset=dataset,
        reading=[told(item) for item in dataset["warnings"]],
        findings=[messages.render(item.code, item.params, language) for item in found],
        segments=[segment(item, weak["loss"], language)["message"] for item in weak["items"]],
        split=_split(job),
        history=[
            ("read", _moment(dataset["created"])),
            ("trained", _moment(version["created"])),
        ],
        software=requirements(),
        important=[(" + ".join(g["columns"]), g["drop"] or 0.0, _interval(g)) for g in groups],
        verdict=verdict,
        groups=said,
    )


def _split(job: Mapping[str, Any]) -> card.Sentence:
    options = job["options"]
    if job["task"] == "clustering":
        return "card.split_clusters", {}
    if options.get("groups"):
        return "card.split_groups", {"column": options["groups"]}
    if options.get("time_column"):
        return "card.split_time", {"column": options["time_column"]}
    return "card.split_folds", {}


def _moment(text: str) -> str:
    return str(text).replace("T", " ")[:16]
