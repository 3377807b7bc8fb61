"""What a word of a magic means: a variable of the notebook, a file, or something that the server has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl_jupyter.client.uploads import Writable
from automl_jupyter.errors import NotFound
from automl_jupyter.notebook.results import Result
from automl_jupyter.schemas import Dataset, Job, Model, ModelRef

if TYPE_CHECKING:
    from automl_jupyter.client import Client

MOST = 500
"""Things of the server that a name is looked for among, the newest first."""


@dataclass(frozen=True)
class Table:
    """A table that the server does not have yet.

    Attributes
    ----------
    content : Path or DataFrame
        Where its rows are.
    name : str
        The file name that it goes by.
    """

    content: Path | Writable
    name: str


@dataclass(frozen=True)
class Words:
    """The words of one command, with the variables that they may name.

    Attributes
    ----------
    variables : mapping
        The notebook's variables by name.
    client : Client
        The connection.
    """

    variables: Mapping[str, Any]
    client: Client

    def source(self, word: str) -> Table | Dataset:
        """A table: a DataFrame's variable, a file, or the id or name of a data set.

        Raises
        ------
        NotFound
            If it is none of them.
        """
        value = self._variable(word)
        if isinstance(value, Dataset):
            return value
        if isinstance(value, Path):
            return Table(value, value.name)
        if isinstance(value, Writable):
            return Table(value, f"{word}.csv")
        if isinstance(value, str):
            word = value
        path = Path(word).expanduser()
        if path.is_file():
            return Table(path, path.name)
        return self.dataset(word)

    def dataset(self, word: str) -> Dataset:
        """A data set, by a variable, its id, or its name: the newest of that name."""
        value = self._variable(word)
        if isinstance(value, Dataset):
            return value
        known = self.client.datasets(limit=MOST).items
        for dataset in known:
            if word in (dataset.id, dataset.name):
                return dataset
        names = list(dict.fromkeys(dataset.name for dataset in known))
        raise NotFound("notebook.no_source", word=word, names=names or ["–"])

    def job(self, word: str | None) -> Job:
        """A job, by a variable or its id; the newest unless one is named."""
        if word is None:
            newest = self.client.jobs(limit=1).items
            if not newest:
                raise NotFound("notebook.no_job")
            return newest[0]
        value = self._variable(word)
        return self.client.job(value.id if isinstance(value, Job) else word)

    def model(self, word: str) -> str | ModelRef:
        """A model, by a variable that holds one, or the job that made it, or by its name."""
        value = self._variable(word)
        if isinstance(value, Job):
            if value.model is None:
                raise NotFound("notebook.job_without_model", job=value.id)
            return value.model
        if isinstance(value, Model):
            return value.name
        if isinstance(value, ModelRef):
            return value
        return value if isinstance(value, str) else word

    def _variable(self, word: str) -> object:
        value = self.variables.get(word)
        return value.content if isinstance(value, Result) else value
