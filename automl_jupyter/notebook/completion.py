"""What the Tab key proposes after ``%automl``: sub-commands, options, and names that are known by now."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from automl_jupyter.client import Client
from automl_jupyter.client.uploads import Writable
from automl_jupyter.errors import AutoMLError
from automl_jupyter.notebook.arguments import COMMANDS, Refused, parser, split
from automl_jupyter.notebook.results import Result
from automl_jupyter.notebook.sources import Table, Words
from automl_jupyter.schemas import FINAL_STATES, ChartName, Dataset, Job

Matcher = Callable[[CompletionContext], SimpleMatcherResult]

LINE = re.compile(r"(?:^|=)\s*%{1,2}automl\s+(?P<typed>.*)$")
COLUMN_OPTIONS = ("--target", "--exclude", "--groups", "--time-column", "--columns", "--missing")
MODEL_COLUMN_OPTIONS = ("--what-if", "--row")
CHARTS = tuple(name for name in get_args(ChartName) if name != "contributions")
PATIENCE = 2.0
"""Seconds to wait for the server: whoever presses Tab does not wait for long."""

SUFFIXES = (".csv", ".tsv", ".txt")
"""Ends of the names of files that are proposed."""

MOST = 100
"""Names of a kind that are proposed."""


@dataclass(frozen=True)
class Proposals:
    """Finds what may follow in a line.

    Attributes
    ----------
    variables : callable
        The notebook's variables by name.
    language : str
        The language of the parsers' help.
    """

    variables: Callable[[], Mapping[str, Any]]
    language: str

    def matcher(self) -> Matcher:
        """What IPython asks with the text before the cursor."""

        @context_matcher(identifier="automl_jupyter")  # type: ignore[untyped-decorator]
        def propose(context: CompletionContext) -> SimpleMatcherResult:
            found = LINE.search(context.line_with_cursor[: context.cursor_position])
            if found is None:
                return SimpleMatcherResult(completions=[])
            *before, word = _words(found["typed"])
            fitting = [one for one in self.after(before, word) if one.startswith(word)]
            # IPython replaces what it takes for the last word, which may be a part of ours.
            token = context.token
            skipped = len(word) - len(token) if word.endswith(token) else 0
            return SimpleMatcherResult(
                completions=[SimpleCompletion(text=one[skipped:], type="automl") for one in fitting],
                suppress=True,
                matched_fragment=token,
                ordered=True,
            )

        return cast("Matcher", propose)

    def after(self, before: Sequence[str], word: str = "") -> list[str]:
        """What may come after some whole words, where a part of the next is typed."""
        if not before:
            return list(COMMANDS)
        name = before[0]
        if name not in COMMANDS:
            return []
        actions = parser(name, self.language)._actions
        last = before[-1]
        for action in actions:
            if last in action.option_strings and action.nargs != 0:
                return self._values(action, before)
        place = _place(before[1:], actions)
        positional = [action for action in actions if not action.option_strings]
        named = self._things(positional[place].dest, before, word) if place < len(positional) else []
        options = [action.option_strings[-1] for action in actions if action.option_strings]
        return [*named, *(one for one in options if one not in before)]

    def _values(self, action: argparse.Action, before: Sequence[str]) -> list[str]:
        if action.choices is not None:
            return [str(choice) for choice in action.choices]
        if action.option_strings[-1] in COLUMN_OPTIONS:
            return self._asked(lambda words: self._columns(words, before))
        if action.option_strings[-1] in MODEL_COLUMN_OPTIONS:
            return self._asked(lambda words: _learnt(words, before))
        if action.option_strings[-1] == "--chart":
            return [*CHARTS]
        return []

    def _things(self, kind: str, before: Sequence[str], word: str) -> list[str]:
        match kind:
            case "source":
                tables = [] if before[0] in ("predict", "explain") else self._asked(_datasets)
                return [*self._variables(_is_table), *_files(word), *tables]
            case "dataset":
                return self._asked(_datasets)
            case "job":
                return [*self._variables(lambda value: isinstance(value, Job)), *self._asked(_jobs)]
            case "model":
                return self._asked(_models)
            case "version" | "first" | "second":
                return self._asked(lambda words: _versions(words, before))
        return []

    def _variables(self, fits: Callable[[object], bool]) -> list[str]:
        return [
            name
            for name, value in self.variables().items()
            if not name.startswith("_") and fits(value.content if isinstance(value, Result) else value)
        ]

    def _columns(self, words: Words, before: Sequence[str]) -> Iterator[str]:
        if len(before) < 2:
            return
        source = words.source(before[1])
        if isinstance(source, Dataset):
            yield from _quoted(column.name for column in source.columns)
        elif isinstance(source, Table) and isinstance(source.content, Writable):
            yield from _quoted(str(column) for column in getattr(source.content, "columns", ()))
        elif isinstance(source, Table):
            with open(str(source.content), encoding="utf-8-sig", errors="replace") as file:  # noqa: PTH123
                yield from _quoted(name.strip('"') for name in re.split("[,;\t]", file.readline().strip()))

    def _asked(self, what: Callable[[Words], Iterable[str]]) -> list[str]:
        """What the server knows; nothing where it does not answer, since nobody has asked it a question."""
        try:
            with Client(timeout=PATIENCE) as client:
                return list(what(Words(self.variables(), client)))
        except (AutoMLError, OSError):
            return []


def _words(typed: str) -> list[str]:
    """The words up to the cursor; the last one is the one that is being typed, and may be empty."""
    try:
        words = split(typed)
    except Refused:
        # Within a quote that is still open.
        head, quote, rest = typed.rpartition(typed[max(typed.rfind("'"), typed.rfind('"'))])
        return [*split(head), f"{quote}{rest}"]
    return [*words, ""] if not words or typed[-1].isspace() else words


def _place(words: Sequence[str], actions: Sequence[argparse.Action]) -> int:
    """How many of the words are positional."""
    taking = {one for action in actions if action.nargs != 0 for one in action.option_strings}
    return sum(
        not word.startswith("-") and (place == 0 or words[place - 1] not in taking)
        for place, word in enumerate(words)
    )


def _files(word: str) -> Iterator[str]:
    """Tables in the folder that is being typed, and the folders in it."""
    head, slash, start = word.rpartition("/")
    folder = Path(f"{head}{slash}" or ".").expanduser()
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(start) and not path.name.startswith("."):
            if path.is_dir():
                yield f"{head}{slash}{path.name}/"
            elif path.suffix.lower() in SUFFIXES:
                yield from _quoted([f"{head}{slash}{path.name}"])


def _is_table(value: object) -> bool:
    return isinstance(value, Writable | Dataset) and not isinstance(value, type)


def _quoted(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield shlex.quote(name) if re.search(r"[\s'\"]", name) else name


def _datasets(words: Words) -> Iterable[str]:
    return _quoted(dict.fromkeys(dataset.name for dataset in words.client.datasets(limit=MOST).items))


def _jobs(words: Words) -> Iterable[str]:
    # Those that run first: they are the ones that are watched and stopped.
    jobs = words.client.jobs(limit=MOST).items
    return [job.id for job in sorted(jobs, key=lambda job: job.state in FINAL_STATES)]


def _models(words: Words) -> Iterable[str]:
    return [model.name for model in words.client.models(limit=MOST).items]


def _learnt(words: Words, before: Sequence[str]) -> Iterable[str]:
    """The columns that a model reads; those of a row are followed by their value."""
    if len(before) < 2:
        return []
    model = words.model(before[1])
    name = (model if isinstance(model, str) else model.name).partition(":")[0]
    sign = "=" if before[-1] == "--row" else ""
    return [f"{one}{sign}" for one in _quoted(c.name for c in words.client.model(name).versions[0].columns)]


def _versions(words: Words, before: Sequence[str]) -> Iterable[str]:
    model = words.model(before[1])
    name = model if isinstance(model, str) else model.name
    return [str(version.version) for version in words.client.model(name).versions]
