"""What is shown of each thing as HTML."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import singledispatchmethod

from automl_jupyter.cli import advice
from automl_jupyter.notebook import boards, gallery, understood
from automl_jupyter.notebook.markup import Html, el, join, table
from automl_jupyter.notebook.results import Written
from automl_jupyter.schemas import (
    FINAL_STATES,
    Comparison,
    Dataset,
    DatasetPage,
    Explanation,
    Finding,
    Findings,
    Job,
    JobPage,
    Model,
    ModelPage,
    ModelVersion,
    Predictions,
    RowExplanations,
)
from automl_jupyter.wording import Wording, clock

STATE_STYLES = {"done": "good", "stopped": "good", "failed": "bad", "interrupted": "warn"}
SEVERITY_STYLES = {"serious": "bad", "warning": "warn", "info": "quiet"}
SHOWN = 50
"""Rows of a list that are shown."""


class Page(Wording):
    """Writes HTML in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    @singledispatchmethod
    def of(self, content: object) -> Html:
        """The HTML of a thing."""
        raise NotImplementedError(type(content))

    # --- data sets

    @of.register
    def _dataset(self, dataset: Dataset) -> Html:
        return join([self.dataset_line(dataset), self.notices(dataset), self.columns(dataset)])

    def dataset_line(self, dataset: Dataset) -> Html:
        """A data set in one line."""
        shape = self.text(
            "cli.dataset.shape", rows=self.whole(dataset.rows), columns=self.whole(len(dataset.columns))
        )
        more = f" · {shape} · {self.size(dataset.bytes)} · "
        return el("p", el("b", dataset.name), el("span", more, el("code", dataset.id), class_="quiet"))

    def notices(self, dataset: Dataset) -> Html:
        """What should be known of how a data set was read."""
        if not dataset.warnings:
            return Html()
        return el("ul", *(el("li", item.message, class_="warn") for item in dataset.warnings))

    def columns(self, dataset: Dataset) -> Html:
        """The columns of a data set."""
        heads = self._heads("cli.columns", ("name", "type", "missing", "distinct", "examples"), num=(2, 3))
        rows = (
            (
                "",
                (
                    el("b", column.name),
                    self.text(f"cli.role.{column.role}"),
                    self.whole(column.missing),
                    self.whole(column.distinct),
                    el("span", ", ".join(column.examples[:4]), class_="quiet"),
                ),
            )
            for column in dataset.columns
        )
        return table(self.text("notebook.caption.columns", name=dataset.name), heads, rows)

    @of.register
    def _datasets(self, page: DatasetPage) -> Html:
        if not page.items:
            return self._none("notebook.none.datasets")
        names = ("id_column", "name", "rows", "columns", "size", "created")
        heads = self._heads("cli.datasets", names, num=(2, 3, 4), id_=(0,))
        rows = (
            (
                "",
                (
                    el("code", dataset.id),
                    el("b", dataset.name),
                    self.whole(dataset.rows),
                    self.whole(len(dataset.columns)),
                    self.size(dataset.bytes),
                    when(dataset.created),
                ),
            )
            for dataset in page.items
        )
        return table(self.text("notebook.caption.datasets"), heads, rows)

    @of.register
    def _findings(self, findings: Findings) -> Html:
        time = self.time_advice(findings)
        if not findings.items:
            return join([el("p", self.text("cli.findings.none"), class_="good"), time])
        return join([el("ul", *(self.finding(item) for item in findings.items)), time])

    def time_advice(self, findings: Findings) -> Html:
        """How much time to give, where that is known."""
        if findings.time_budget is None:
            return Html()
        times = {name: clock(seconds) for name, seconds in findings.time_budget.model_dump().items()}
        return el("p", self.text("cli.findings.time", **times), class_="quiet")

    def finding(self, item: Finding) -> Html:
        """Something that should be known before training."""
        severity = self.text(f"cli.severity.{item.severity}")
        return el("li", el("b", severity, class_=SEVERITY_STYLES[item.severity]), f" · {item.message}")

    # --- jobs

    @of.register
    def _job(self, job: Job) -> Html:
        return join(
            [self.heading(job), boards.bar(job, self), boards.leaderboard(job, self), self.ending(job)]
        )

    def heading(self, job: Job) -> Html:
        """What a job is about."""
        what = (
            self.text("cli.job.clusters")
            if job.target is None
            else self.text("cli.job.target", target=job.target)
        )
        options = f" · {shlex.join(advice.typed(job.options))}" if job.options else ""
        more = f" · {self.text(f'cli.task.{job.task}')} · {job.metric}{options}"
        return el("p", el("b", what), el("span", more, class_="quiet"))

    def state(self, job: Job) -> Html:
        """How a job stands, in a word."""
        return el("span", self.text(f"cli.state.{job.state}"), class_=STATE_STYLES.get(job.state, "quiet"))

    def ending(self, job: Job) -> Html:
        """What came of a job, and how to name it."""
        model = f" · {job.model.name}:{job.model.version}" if job.model else ""
        line = el("p", el("b", self.state(job), model), el("span", " · ", el("code", job.id), class_="quiet"))
        problem = el("p", job.error.message, class_="bad") if job.error else Html()
        return join([line, problem, self.outlook(job)])

    def outlook(self, job: Job) -> Html:
        """What more time is expected to bring."""
        if job.outlook is None or job.state not in FINAL_STATES:
            return Html()
        parts = (job.outlook.gain, job.outlook.low, job.outlook.high)
        gain, low, high = (self.number(100 * part, 1) for part in parts)
        return el("p", self.text("cli.train.outlook", gain=gain, low=low, high=high), class_="quiet")

    @of.register
    def _jobs(self, page: JobPage) -> Html:
        if not page.items:
            return self._none("notebook.none.jobs")
        names = ("id", "created", "state", "target", "best", "time", "model")
        heads = self._heads("cli.jobs", names, num=(4,), id_=(0,))
        rows = (
            (
                "",
                (
                    el("code", job.id),
                    when(job.created),
                    self.state(job),
                    job.target or self.text("cli.job.clusters"),
                    self._best(job),
                    f"{clock(job.elapsed)} / {clock(job.time_budget)}",
                    f"{job.model.name}:{job.model.version}" if job.model else "",
                ),
            )
            for job in page.items
        )
        return table(self.text("notebook.caption.jobs"), heads, rows)

    def _best(self, job: Job) -> str:
        best = next((trial.score for trial in job.leaderboard if trial.score is not None), None)
        return "" if best is None else f"{job.metric} {self.number(best)}"

    # --- models

    @of.register
    def _model(self, model: Model) -> Html:
        target = f" · {self.text('cli.job.target', target=model.target)}" if model.target else ""
        title = el(
            "p",
            el("b", model.name),
            el("span", f" · {self.text(f'cli.task.{model.task}')}{target}", class_="quiet"),
        )
        names = ("version", "status", "score", "interval", "baseline", "created", "dataset")
        heads = self._heads("cli.models", names, num=(0, 2, 3, 4))
        rows = (
            (
                "best" if version.version == model.champion else "",
                (
                    str(version.version),
                    el("span", self.text("cli.models.champion"), class_="good moment")
                    if version.version == model.champion
                    else "",
                    self._score(version),
                    boards.interval(version.interval, self),
                    "" if version.baseline_score is None else self.number(version.baseline_score),
                    when(version.created),
                    el("code", version.dataset_id),
                ),
            )
            for version in model.versions
        )
        return join([title, table(self.text("notebook.caption.versions", name=model.name), heads, rows)])

    @of.register
    def _models(self, page: ModelPage) -> Html:
        if not page.items:
            return self._none("notebook.none.models")
        names = ("name_column", "task", "target", "versions", "in_service", "score", "created")
        heads = self._heads("cli.models", names, num=(3, 4, 5))
        rows = (("", self._model_cells(model)) for model in page.items)
        return table(self.text("notebook.caption.models"), heads, rows)

    def _model_cells(self, model: Model) -> Sequence[str]:
        champion = next((v for v in model.versions if v.version == model.champion), None)
        return (
            el("b", model.name),
            self.text(f"cli.task.{model.task}"),
            model.target or "",
            str(len(model.versions)),
            str(model.champion or "–"),
            self._score(champion) if champion else "",
            when(model.created),
        )

    def _score(self, version: ModelVersion) -> str:
        return "" if version.score is None else f"{version.metric} {self.number(version.score)}"

    # --- predictions

    @of.register
    def _predictions(self, answer: Predictions) -> Html:
        labels = list(answer.predictions[0].probabilities or ()) if answer.predictions else []
        heads = [
            ("", "num quiet"),
            (self.text("notebook.prediction"), ""),
            *((label, "num") for label in labels),
            (self.text("notebook.warnings"), ""),
        ]
        rows = (
            (
                "",
                (
                    str(number),
                    el("b", self.value(one.value)),
                    *(self.number((one.probabilities or {}).get(label, 0.0), 3) for label in labels),
                    el("span", " ".join(w.message for w in one.warnings), class_="warn"),
                ),
            )
            for number, one in enumerate(answer.predictions[:SHOWN], start=1)
        )
        name = f"{answer.model}:{answer.version}"
        rest = len(answer.predictions) - SHOWN
        more = el("p", self.text("cli.predict.more", n=rest), class_="quiet") if rest > 0 else Html()
        notes = [el("p", note.message, class_="warn") for note in answer.notes]
        shown = table(self.text("notebook.caption.predictions", name=name), heads, rows)
        return join([el("p", el("b", name)), *notes, shown, more])

    # --- understanding

    @of.register
    def _explanation(self, found: Explanation) -> Html:
        return understood.model(found, self)

    @of.register
    def _explained_rows(self, found: RowExplanations) -> Html:
        return understood.rows(found, self)

    @of.register
    def _comparison(self, found: Comparison) -> Html:
        return understood.versions(found, self)

    @of.register
    def _gallery(self, charts: gallery.Gallery) -> Html:
        if len(charts.items) == 1:
            return gallery.figures(charts.items[0], self)
        return gallery.listed(charts, self)

    @of.register
    def _written(self, file: Written) -> Html:
        return el("p", self.text("cli.export.written", path=str(file.path)), class_="good")

    # --- helpers

    def _none(self, code: str) -> Html:
        return el("p", self.text(code), class_="quiet")

    def _heads(
        self, room: str, names: Iterable[str], num: Sequence[int] = (), id_: Sequence[int] = ()
    ) -> list[tuple[str, str]]:
        return [
            (self.text(f"{room}.{name}"), "num" if place in num else "id" if place in id_ else "")
            for place, name in enumerate(names)
        ]


def hint(sentence: str) -> Html:
    """A sentence below a result, of which what stands between backticks is code."""
    parts = sentence.split("`")
    shown = (el("code", part) if place % 2 else el("span", part) for place, part in enumerate(parts))
    return el("p", *shown, class_="quiet")


def when(moment: datetime) -> Html:
    """A moment in the time of this machine."""
    return el("span", moment.astimezone().strftime("%Y-%m-%d %H:%M"), class_="moment")
