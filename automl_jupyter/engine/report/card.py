"""What stands in a model card, in one language, before it is written as Markdown or HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automl_jupyter import messages
from automl_jupyter.engine.contract import Contract, synthetic_example
from automl_jupyter.engine.trials import DONE, Trial

MOST_TRIALS, MOST_COLUMNS, MOST_CATEGORIES = 12, 60, 6

Sentence = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Picture:
    """A picture with its sentence.

    Attributes
    ----------
    title, sentence : str
        What it is, and what to see.
    svg : str
        The picture itself, without scripts.
    """

    title: str
    sentence: str
    svg: str


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Code:
    """Lines to copy."""

    text: str


@dataclass(frozen=True)
class Points:
    """Sentences, one below the other."""

    items: tuple[str, ...]


Block = str | Points | Table | Code | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Facts:
    """What is known of a model version.

    Attributes
    ----------
    name, version : str, int
        Which.
    contract : Contract
        Its columns, task and target.
    metric, score, interval, baseline : str, float, tuple of float, float or None
        How good it is on rows that took no part in any choice; 90 % interval; of a baseline.
    trials : sequence of Trial
        The leaderboard.
    dataset : mapping
        ``name``, ``rows``, ``bytes``, ``digest``, ``created``.
    reading, findings, segments : sequence of str
        What was guessed or repaired when the file was read, what was found in the data, where the model is
        weak; sentences in the card's language.
    split : Sentence
        How rows were divided.
    history : sequence of (str, str)
        What happened when: code of the sentence, and when.
    software : sequence of str
        Packages with versions.
    important : sequence of (str, float, tuple of float)
        Columns, how much the score falls without them, and from where to where.
    verdict : str or None
        Of groups: code of the sentence that says what was found.
    groups : sequence of (str, tuple of str)
        Of groups: a sentence about each, and what sets it apart.
    """

    name: str
    version: int
    contract: Contract
    metric: str
    score: float
    interval: tuple[float, float]
    baseline: float | None
    trials: Sequence[Trial]
    dataset: Mapping[str, Any]
    reading: Sequence[str]
    findings: Sequence[str]
    segments: Sequence[str]
    split: Sentence
    history: Sequence[tuple[str, str]]
    software: Sequence[str]
    important: Sequence[tuple[str, float, tuple[float, float]]] = ()
    verdict: str | None = None
    groups: Sequence[tuple[str, tuple[str, ...]]] = field(default=())


def sections(facts: Facts, pictures: Sequence[Picture], language: str) -> tuple[Section, ...]:
    """Write the sections of a card.

    Parameters
    ----------
    facts : Facts
        What is known.
    pictures : sequence of Picture
        Charts, in the same language.
    language : str
        One of :data:`automl_jupyter.messages.LANGUAGES`.
    """

    def say(code: str, **params: Any) -> str:
        return messages.render(f"card.{code}", params, language)

    contents: list[tuple[str, list[Block]]] = [
        ("purpose", list(_purpose(facts, say))),
        ("data", list(_data(facts, say))),
        ("findings", [Points(tuple(facts.findings) or (say("no_findings"),))]),
        ("split", [messages.render(*facts.split, language)]),
        ("scores", list(_scores(facts, say, language))),
        ("groups", [] if not facts.groups else list(_groups(facts, language))),
        ("charts", list(pictures)),
        ("columns", list(_columns(facts, say, language))),
        ("segments", [Points(tuple(facts.segments))] if facts.segments else []),
        ("limits", [Points(tuple(_limits(facts, say)))]),
        ("use", list(_use(facts, say))),
        ("history", [Table((say("what"), say("when")), tuple((say(c), at) for c, at in facts.history))]),
        ("software", [", ".join(facts.software)]),
    ]
    return tuple(Section(say(f"title_{name}"), tuple(blocks)) for name, blocks in contents if blocks)


def title(facts: Facts, language: str) -> str:
    """The title of a card."""
    return messages.render("card.title", {"model": facts.name, "version": facts.version}, language)


def figure(value: float, language: str, digits: int = 4) -> str:
    """A score as people read it, to so many digits."""
    return messages.written(value, ".0f" if abs(value) >= 10 ** (digits - 1) else f".{digits}g", language)


def _purpose(facts: Facts, say: Any) -> Iterator[Block]:
    task = facts.contract.task
    yield say(
        f"purpose_{task}", target=facts.contract.target, classes=[str(c) for c in facts.contract.classes]
    )


def _data(facts: Facts, say: Any) -> Iterator[Block]:
    data = facts.dataset
    yield say(
        "data",
        name=data["name"],
        rows=data["rows"],
        columns=len(facts.contract.columns),
        used=len(facts.contract.used),
        digest=str(data["digest"])[:16],
    )
    yield Points((say("read_as_is"),) if not facts.reading else tuple(facts.reading))


def _scores(facts: Facts, say: Any, language: str) -> Iterator[Block]:
    low, high = (figure(bound, language) for bound in facts.interval)
    yield say("score", metric=facts.metric, score=figure(facts.score, language), low=low, high=high)
    if facts.baseline is not None:
        yield say("baseline", score=figure(facts.baseline, language))
    rows = [
        (
            t.name,
            t.family,
            figure(t.score, language),
            " – ".join(figure(bound, language) for bound in t.interval),
            messages.written(t.fit_seconds, ".1f", language),
        )
        for t in facts.trials
        if t.state == DONE
    ]
    head = tuple(say(f"head_{name}") for name in ("model", "family", "score", "interval", "seconds"))
    yield Table(head, tuple(rows[:MOST_TRIALS]))


def _groups(facts: Facts, language: str) -> Iterator[Block]:
    if facts.verdict is not None:
        yield messages.render(facts.verdict, {"n": len(facts.groups)}, language)
    for sentence, traits in facts.groups:
        yield sentence
        if traits:
            yield Points(traits)


def _columns(facts: Facts, say: Any, language: str) -> Iterator[Block]:
    def bound(value: float | None) -> str:
        return "" if value is None else messages.written(value, ".6g", language)

    worth = {name: (drop, interval) for name, drop, interval in facts.important}
    order = [*worth, *(c.name for c in facts.contract.used if c.name not in worth)]
    kinds = {c.name: c for c in facts.contract.used}
    rows = []
    for name in order[:MOST_COLUMNS]:
        column = kinds.get(name)
        expected = ""
        if column is not None and column.kind == "category":
            shown = ", ".join(column.categories[:MOST_CATEGORIES])
            expected = shown + (" …" if len(column.categories) > MOST_CATEGORIES else "")
        elif column is not None and column.kind == "numeric" and column.lowest is not None:
            expected = f"{bound(column.lowest)} – {bound(column.highest)}"
        fall = ""
        if name in worth:
            drop, (low, high) = worth[name]
            fall = f"{figure(drop, language, 3)} ({figure(low, language, 2)} – {figure(high, language, 2)})"
        kind = "" if column is None else say(f"kind_{column.kind}")
        rows.append((name, kind, expected, fall))
    head = tuple(say(f"head_{name}") for name in ("column", "kind", "expected", "worth"))
    yield Table(head, tuple(rows))


def _limits(facts: Facts, say: Any) -> Iterator[str]:
    yield say("limit_range")
    yield say("limit_population", name=facts.dataset["name"])
    if facts.baseline is not None and facts.interval[0] <= facts.baseline:
        yield say("limit_baseline")
    if int(facts.dataset["rows"]) < 1000:
        yield say("limit_rows", n=int(facts.dataset["rows"]))
    yield say("limit_cause")


def _use(facts: Facts, say: Any) -> Iterator[Block]:
    (row,) = synthetic_example(facts.contract, 1)
    reference = json.dumps(f"{facts.name}:{facts.version}")
    python = "\n".join(
        [
            "from automl_jupyter.client import Client",
            "",
            f"row = {_python(row)}",
            f"print(Client().predict({reference}, [row]))",
        ]
    )
    yield say("use")
    yield Code(python)
    body = json.dumps({"rows": [row]}, ensure_ascii=False).replace("'", "'\\''")
    yield Code(
        'curl -H "Authorization: token $JUPYTER_TOKEN" -H "Content-Type: application/json" \\\n'
        f"  \"$JUPYTER_URL/automl/api/predict/{facts.name}/\" -d '{body}'"
    )


def _python(row: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key!r}: {value!r}" for key, value in row.items()) + "}"
