"""Each action of the panel as a line of a magic, of Python, and of a shell; what is copied runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from automl_jupyter.cli import advice

if TYPE_CHECKING:
    from automl_jupyter.schemas import Dataset

Snippets = dict[str, str]
"""By kind: ``magic``, ``Python``, ``curl``."""

PYTHON = "from automl_jupyter.client import Client\n\nclient = Client()\n"
CURL = 'curl -sS --fail -H "Authorization: token $JUPYTER_TOKEN"'


def upload(source: str, *, is_variable: bool) -> Snippets:
    """Taking in a table."""
    given = source if is_variable else repr(source)
    content = "-F file=@-" if is_variable else f"-F {shlex.quote(f'file=@{source}')}"
    made = {
        "magic": f"dataset = %automl upload {shlex.quote(source)}",
        "Python": f"{PYTHON}dataset = client.upload({given})",
    }
    # A variable of the kernel cannot be reached from a shell.
    return made if is_variable else {**made, "curl": f'{CURL} {content} "{_url("upload/")}"'}


def reread(id_: str, words: Sequence[str], decided: Mapping[str, Any]) -> Snippets:
    """Having a file read again; `words` and `decided` say the same."""
    named = "".join(f", {name}={value!r}" for name, value in decided.items())
    return {
        "magic": f"dataset = %automl {_join(['reread', id_, *words])}",
        "Python": f"{PYTHON}dataset = client.reread({id_!r}{named})",
        "curl": _post(f"datasets/{id_}/reread/", decided),
    }


def train(dataset: Dataset, request: Mapping[str, Any]) -> Snippets:
    """Starting a training.

    Parameters
    ----------
    dataset : Dataset
        The data set.
    request : mapping
        The fields of the request, without those that are left to the server.
    """
    fields = dict(request)
    target, budget = fields.pop("target", None), fields.pop("time_budget", None)
    options: list[str] = []
    if target is not None:
        options += ["--target", target]
    if budget is not None:
        options += ["--time", f"{budget:g}"]
    for name in ("metric", "task", "name"):
        if name in fields:
            options += [f"--{name}", fields[name]]
    if fields.get("seed"):
        options += ["--seed", str(fields["seed"])]
    left_out = _left_out(dataset, target, fields.get("columns"))
    for column in left_out:
        options += ["--exclude", column]
    options += advice.typed(fields)
    arguments = [repr(dataset.id)] if target is None else [repr(dataset.id), repr(target)]
    known = {} if budget is None else {"time_budget": budget}
    named = [f"{name}={value!r}" for name, value in {**known, **fields}.items()]
    return {
        "magic": f"job = %automl {_join(['train', dataset.id, *options])}",
        "Python": f"{PYTHON}job = client.wait(client.train({', '.join([*arguments, *named])}))",
        "curl": _post(f"train/{dataset.id}/", request),
    }


def job(id_: str, verb: str) -> Snippets:
    """Ending a job or taking it up again: ``stop``, ``cancel`` or ``resume``."""
    return {
        "magic": f"%automl jobs {id_} --{verb}",
        "Python": f"{PYTHON}job = client.{verb}({id_!r})",
        "curl": f'{CURL} -X POST "{_url(f"jobs/{id_}/{verb}/")}"',
    }


def promote(name: str, version: int) -> Snippets:
    """Putting a version into service."""
    return {
        "magic": f"%automl promote {name} {version}",
        "Python": f"{PYTHON}client.promote({name!r}, {version})",
        "curl": _post(f"models/{name}/promote/", {"version": version}),
    }


def explain(name: str, version: int) -> Snippets:
    """Saying what a version has learnt."""
    reference = f"{name}:{version}"
    return {
        "magic": f"%automl explain {reference}",
        "Python": f"{PYTHON}explanation = client.explain({reference!r})",
        "curl": f'{CURL} "{_url(f"models/{name}/explain/?version={version}")}"',
    }


def explain_row(name: str, version: int, row: Mapping[str, Any]) -> Snippets:
    """Saying how the answer to one row comes about."""
    reference = f"{name}:{version}"
    return {
        "magic": "\n".join([f"%%automl explain {reference}", *_csv([list(row), _cells(row)])]),
        "Python": f"{PYTHON}client.explain_rows({reference!r}, [{dict(row)!r}]).rows",
        "curl": _post(f"models/{name}/explain/?version={version}", {"rows": [dict(row)]}),
    }


def charts(name: str, version: int, chart: str | None) -> Snippets:
    """Drawing a version: one chart, or all."""
    reference = f"{name}:{version}"
    option, argument = ("", "") if chart is None else (f" --chart {chart}", f", {chart!r}")
    query = f"?version={version}" if chart is None else f"?version={version}&chart={chart}"
    return {
        "magic": f"%automl charts {reference}{option}",
        "Python": f"{PYTHON}charts = client.charts({reference!r}{argument})",
        "curl": f'{CURL} "{_url(f"models/{name}/charts/{query}")}"',
    }


def compare(name: str, first: int, second: int) -> Snippets:
    """Comparing two versions."""
    return {
        "magic": f"%automl compare {name} {first} {second}",
        "Python": f"{PYTHON}client.compare({name!r}, {first}, {second}).message",
        "curl": f'{CURL} "{_url(f"models/{name}/compare/?versions={first},{second}")}"',
    }


def predict_row(name: str, version: int, dataset_id: str, row: Mapping[str, Any]) -> Snippets:
    """Predicting one row."""
    reference = f"{name}:{version}"
    return {
        "magic": "\n".join([f"%%automl predict {reference}", *_csv([list(row), _cells(row)])]),
        "Python": f"{PYTHON}client.predict({reference!r}, [{dict(row)!r}]).predictions",
        "curl": _post(f"test-model/{dataset_id}/{reference}/", {"rows": [dict(row)]}),
    }


def predict_file(name: str, version: int, dataset_id: str, source: str, output: str) -> Snippets:
    """Predicting a file into another."""
    reference = f"{name}:{version}"
    url = _url(f"test-model/{dataset_id}/{reference}/")
    return {
        "magic": f"%automl predict {reference} {shlex.quote(source)} -o {shlex.quote(output)}",
        "Python": f"{PYTHON}client.predict_csv({reference!r}, {source!r}, {output!r})",
        "curl": f"{CURL} -H 'Content-Type: text/csv' -H 'Accept: text/csv' "
        f'--data-binary @{shlex.quote(source)} "{url}" > {shlex.quote(output)}',
    }


def _left_out(dataset: Dataset, target: str | None, columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        return []
    return [name for name in advice.remaining(dataset, target, (), None) if name not in columns]


def _join(words: Sequence[str]) -> str:
    # IPython puts variables in where it sees braces, or a dollar that is not within single quotes.
    return shlex.join(words).replace("{", "{{").replace("}", "}}")


def _cells(row: Mapping[str, Any]) -> list[str]:
    return ["" if value is None else str(value) for value in row.values()]


def _csv(rows: Sequence[Sequence[str]]) -> list[str]:
    import csv
    from io import StringIO

    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().splitlines()


def _post(path: str, body: Mapping[str, Any]) -> str:
    given = shlex.quote(json.dumps(dict(body), ensure_ascii=False))
    return f"{CURL} -H 'Content-Type: application/json' -d {given} \"{_url(path)}\""


def _url(path: str) -> str:
    return f"$JUPYTER_URL/automl/api/{path}"
