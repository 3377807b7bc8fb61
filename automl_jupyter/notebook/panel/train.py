"""The part of the panel that says what to learn, what should be known before, and begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import ipywidgets as ipw

from automl_jupyter.cli import advice
from automl_jupyter.cli.parser import seconds
from automl_jupyter.client import Client
from automl_jupyter.client.actions import combined
from automl_jupyter.notebook.markup import el
from automl_jupyter.notebook.panel import snippets
from automl_jupyter.notebook.panel.part import Part
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.widgets import button, copy_as, html, labelled, part, row, show
from automl_jupyter.notebook.panel.work import Worker

if TYPE_CHECKING:
    from automl_jupyter.schemas import Dataset, Finding

T = TypeVar("T")

METRICS = (
    "roc_auc",
    "neg_log_loss",
    "average_precision",
    "neg_brier_score",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "matthews_corrcoef",
    "f1_macro",
    "f1_weighted",
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_mean_absolute_percentage_error",
    "r2",
    "silhouette",
)
"""Metrics that are proposed; the server takes any scorer of scikit-learn."""


class Train(Part):
    """Asks for the target, the metric and the time, and starts a job."""

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._acts: list[tuple[ipw.Checkbox, Finding]] = []
        self._looked: tuple[str, str | None] | None = None
        self._offering = False
        self._starting = False
        text = worker.text
        self.target = labelled(ipw.Dropdown, text("notebook.train.target"), options=[])
        self.metric = labelled(
            ipw.Combobox,
            text("notebook.train.metric"),
            options=METRICS,
            placeholder=text("notebook.train.metric_default"),
            ensure_option=False,
        )
        self.time = labelled(ipw.Text, text("notebook.train.time"), value="60")
        self.findings = ipw.VBox()
        self.more = ipw.ToggleButton(
            description=text("notebook.train.advanced"), layout=ipw.Layout(width="auto")
        )
        self.exclude = labelled(ipw.SelectMultiple, text("notebook.train.exclude"), rows=5)
        self.groups = labelled(ipw.Dropdown, text("notebook.train.groups"), options=[])
        self.time_column = labelled(ipw.Dropdown, text("notebook.train.time_column"), options=[])
        auto = text("notebook.train.auto")
        self.name = labelled(ipw.Text, text("notebook.train.name"), placeholder=auto)
        self.trials = labelled(ipw.Text, text("notebook.train.trials"), placeholder=auto)
        self.seed = labelled(ipw.BoundedIntText, text("notebook.train.seed"), value=0, min=0, max=2**31 - 1)
        self.advanced = ipw.VBox(
            [self.name, self.exclude, self.groups, self.time_column, self.trials, self.seed]
        )
        self.start = button(text("notebook.train.start"), primary=True)
        self.copy = copy_as(worker, text("notebook.train.start"))
        self.view = part(
            text("notebook.part.train"),
            self.status,
            self.target,
            self.metric,
            self.time,
            self.findings,
            row(self.more),
            self.advanced,
            row(self.start, self.copy),
        )
        show(self.view, shown=False)
        show(self.advanced, shown=False)
        self._observe()

    def _observe(self) -> None:
        fields = (self.target, self.metric, self.time, self.name, self.exclude)
        for field in (*fields, self.groups, self.time_column, self.trials, self.seed):
            field.observe(lambda _: self._copyable(), "value")
        self.target.observe(lambda _: self._look(), "value")
        self.more.observe(lambda change: show(self.advanced, shown=change["new"]), "value")
        self.start.on_click(lambda _: self._begin())
        self._state.observe(lambda _: self._offer(), "dataset")
        self._state.observe(lambda _: self._show_findings(), "findings")

    def request(self) -> dict[str, Any]:
        """What is asked for, without what is left to the server.

        Raises
        ------
        ValueError
            If a field does not hold what it should: a sentence that names it.
        """
        given: dict[str, Any] = {
            "target": self._target(),
            "metric": self.metric.value.strip() or None,
            "time_budget": self._read(self.time, seconds),
            "name": self.name.value.strip() or None,
            "groups": self.groups.value or None,
            "time_column": self.time_column.value or None,
            "max_trials": self._read(self.trials, int) if self.trials.value.strip() else None,
            "seed": self.seed.value or None,
        }
        if self.exclude.value:
            excluded = self.exclude.value
            given["columns"] = advice.remaining(self._state.dataset, self._target(), excluded, None)
        asked = {key: value for key, value in given.items() if value is not None}
        chosen = [finding.action for box, finding in self._acts if box.value and finding.action]
        return combined([asked, *chosen])

    def _read(self, field: Any, reader: Callable[[str], T]) -> T:
        text = field.value.strip()
        try:
            return reader(text)
        except ValueError:
            told = self._worker.text("notebook.train.unclear", text=text, field=field.description)
            raise ValueError(told) from None

    def _target(self) -> str | None:
        # To a dropdown, None means that nothing is chosen: the choice of no column is an empty name.
        return self.target.value or None

    def _offer(self) -> None:
        dataset: Dataset | None = self._state.dataset
        show(self.view, shown=dataset is not None)
        if dataset is None:
            return
        names = [column.name for column in dataset.columns]
        none = (self._worker.text("notebook.train.none"), "")
        groups = (self._worker.text("notebook.train.groups_of_rows"), "")
        # Each of these changes would be taken for somebody's choice.
        self._offering = True
        self.groups.options = self.time_column.options = [none, *((name, name) for name in names)]
        self.groups.value = self.time_column.value = ""
        self.exclude.options = names
        self.target.options = [*((name, name) for name in names), groups]
        job = self._state.job
        # What is to be predicted stands last in most tables.
        known = job is not None and job.dataset_id == dataset.id
        self.target.value = (job.target or "") if known else names[-1]
        self._offering = False
        self._look()
        self._copyable()

    def _look(self) -> None:
        dataset, target = self._state.dataset, self._target()
        if dataset is None or self._offering or self._looked == (dataset.id, target):
            return
        self._looked = (dataset.id, target)

        def look(client: Client) -> None:
            found = client.findings(dataset, target)
            # Somebody may have chosen another target meanwhile.
            if self._looked == (dataset.id, target):
                self._state.set_trait("findings", found)

        self.ask(look, "notebook.doing.looking")

    def _show_findings(self) -> None:
        found = self._state.findings
        self._acts = []
        lines: list[ipw.Widget] = []
        for item in found.items if found is not None else ():
            lines.append(ipw.HTML(html(el("ul", self._worker.page.finding(item)))))
            if item.action is not None:
                box = ipw.Checkbox(
                    value=item.severity == "serious",
                    description=self._worker.text("notebook.train.act"),
                    indent=False,
                    layout=ipw.Layout(width="auto", margin="0 0 0 2em"),
                )
                box.observe(lambda _: self._copyable(), "value")
                self._acts.append((box, item))
                lines.append(box)
        if found is not None and found.time_budget is not None:
            lines.append(ipw.HTML(html(self._worker.page.time_advice(found))))
        self.findings.children = tuple(lines)
        self._copyable()

    def _copyable(self) -> None:
        if self._state.dataset is None or self._offering:
            return
        try:
            self.copy.snippets = snippets.train(self._state.dataset, self.request())
        except ValueError:
            self.copy.snippets = {}

    def _begin(self) -> None:
        # Whoever clicks twice wants one training.
        if self._starting:
            return
        try:
            request = self.request()
        except ValueError as problem:
            self.complain(str(problem))
            return
        dataset: Dataset = self._state.dataset
        target = request.pop("target", None)
        self._starting = True

        def start(client: Client) -> None:
            try:
                self._worker.follow(client.train(dataset, target, **request))
            finally:
                self._starting = False

        self.ask(start, "notebook.doing.starting")
