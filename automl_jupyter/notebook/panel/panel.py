"""The panel itself: its parts below each other, and a line that says what is going on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as ipw
from IPython.core.getipython import get_ipython

from automl_jupyter import messages
from automl_jupyter.client import Client
from automl_jupyter.client.discovery import language_of
from automl_jupyter.client.uploads import Writable
from automl_jupyter.notebook.markup import el
from automl_jupyter.notebook.panel import onward
from automl_jupyter.notebook.panel.data import Data
from automl_jupyter.notebook.panel.job import JobPart
from automl_jupyter.notebook.panel.model import ModelPart
from automl_jupyter.notebook.panel.predict import Predict
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.train import Train
from automl_jupyter.notebook.panel.widgets import html
from automl_jupyter.notebook.panel.work import Worker
from automl_jupyter.notebook.results import Result


class Panel(ipw.VBox):  # type: ignore[misc]
    """From a file to a prediction, in the output of a cell.

    It shows the same data sets, jobs and models as every other surface. A job that is running is watched at
    once, so that a kernel that was restarted loses nothing.

    Parameters
    ----------
    source : DataFrame, path, data set or job, optional
        What to begin with; a word means what it means after ``%automl train``.
    name : str, optional
        The file name that a DataFrame goes by; that of its variable unless given.
    language : str, optional
        ``en`` or ``fr``; the environment's unless given.
    """

    def __init__(
        self, source: object = None, *, name: str | None = None, language: str | None = None
    ) -> None:
        language = messages.negotiate(language or language_of())
        shell = get_ipython()
        variables: Mapping[str, Any] = {} if shell is None else shell.user_ns
        self.state = State()
        self._worker = Worker(self.state, language)
        self._onward = ipw.HTML()
        self.data = Data(self.state, self._worker, variables)
        self.train = Train(self.state, self._worker)
        self.job = JobPart(self.state, self._worker)
        self.model = ModelPart(self.state, self._worker)
        self.predict = Predict(self.state, self._worker)
        parts = (self.data, self.train, self.job, self.model, self.predict)
        super().__init__([*(part.view for part in parts), self._onward])
        self.add_class("automl-panel")
        self.state.observe(lambda _: self._lead_on(), ["base", "dataset", "job", "model", "version"])
        source = source.content if isinstance(source, Result) else source
        called = next(
            (word for word, value in variables.items() if value is source and word[0] != "_"), "table"
        )
        self._begin(source, name or f"{called}.csv")

    def _begin(self, source: object, name: str) -> None:
        # First, as each question takes away what the one before has said.
        self.data.ask(lambda client: self._look_around(client, attach=source is None))
        if isinstance(source, Writable):
            self.data.take_frame(source, name)
        elif source is not None:
            self._take(source)

    def _take(self, source: object) -> None:
        from automl_jupyter.schemas import Dataset, Job

        if isinstance(source, Job):
            self._worker.follow(source)
            self.job.ask(lambda client: self.state.set_trait("dataset", client.dataset(source.dataset_id)))
        elif isinstance(source, Dataset):
            self.state.set_trait("dataset", source)
        else:
            self.data.take(str(source))

    def _look_around(self, client: Client, *, attach: bool) -> None:
        self.state.set_trait("base", client.url)
        self.data.propose(client)
        self.job.offer(client, attach=attach)

    def _lead_on(self) -> None:
        link = onward.address(self.state)
        if link:
            text = self._worker.text("notebook.onward")
            self._onward.value = html(el("p", el("a", text, href=link, target="_blank", rel="noopener")))
