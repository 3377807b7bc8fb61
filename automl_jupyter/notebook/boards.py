"""The leaderboard as HTML: scores, intervals on one scale, ties, the baseline; and the deadline's bar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from automl_jupyter.notebook.markup import Html, el, join, table, void
from automl_jupyter.wording import Wording, clock

if TYPE_CHECKING:
    from automl_jupyter.schemas import Job, Trial

TIED = "≈"
BEST = "★"
WIDTH, MIDDLE = 120, 7
"""Pixels of the picture of an interval: how wide, and where its line is."""

Interval = tuple[float | None, float | None] | None


def bar(job: Job, wording: Wording, since: float = 0.0) -> Html:
    """How much of the time of a running job is over; nothing for a job that is.

    Parameters
    ----------
    job : Job
        The job as it was last seen.
    wording : Wording
        The language.
    since : float
        Seconds since then.
    """
    if is_over(job):
        return Html()
    elapsed = min(job.elapsed + (since if job.state == "running" else 0.0), job.time_budget)
    return el(
        "div",
        el(
            "progress",
            value=round(elapsed, 1) if job.state == "running" else None,
            max=job.time_budget,
            aria_label=wording.text("notebook.time"),
        ),
        el("span", f"{clock(elapsed)} / {clock(job.time_budget)}"),
        el("span", wording.text(f"cli.state.{job.state}"), class_="quiet"),
        class_="bar",
    )


def is_over(job: Job) -> bool:
    """Whether nothing more happens in a job by itself."""
    # What describes the server's answers takes half a second to import: by whoever has an answer.
    from automl_jupyter.schemas import FINAL_STATES

    return job.state in FINAL_STATES


def leaderboard(job: Job, wording: Wording) -> Html:
    """The models of a job, best first, and below them those that came to nothing."""
    if not job.leaderboard:
        return el("p", wording.text("cli.board.empty"), class_="quiet")
    heads = [
        ("", "num quiet"),
        (wording.text("cli.board.model"), ""),
        (job.metric, "num"),
        (wording.text("cli.board.interval"), ""),
        ("", "num quiet"),
        (wording.text("cli.board.fit"), "num quiet"),
        (wording.text("cli.board.predict"), "num quiet"),
    ]
    scored = [trial for trial in job.leaderboard if trial.score is not None]
    scale = _scale(scored)
    over = is_over(job)
    rows = (
        (_style(place, trial), _cells(place, trial, over, scale, wording))
        for place, trial in enumerate(scored, start=1)
    )
    caption = wording.text("notebook.caption.leaderboard")
    return join([table(caption, heads, rows), *_legend(job, scored, wording)])


def interval(bounds: Interval, wording: Wording) -> str:
    """An interval in figures."""
    if bounds is None or bounds[0] is None or bounds[1] is None:
        return ""
    return f"{wording.number(bounds[0], 3)} … {wording.number(bounds[1], 3)}"


def _style(place: int, trial: Trial) -> str:
    return "baseline" if trial.baseline else "best" if place == 1 else ""


def _cells(
    place: int, trial: Trial, over: bool, scale: tuple[float, float], wording: Wording
) -> Iterator[str]:
    # Which models are tied is known when the last has its score.
    mark = f"{BEST} " if place == 1 else f"{TIED} " if trial.tied_with_best and over else ""
    yield str(place)
    yield _name(trial, wording)
    yield f"{mark}{wording.number(trial.score or 0.0)}"
    yield _picture(trial, scale)
    yield interval(trial.interval, wording)
    yield wording.seconds(trial.fit_seconds)
    yield wording.seconds(trial.predict_seconds)


def _name(trial: Trial, wording: Wording) -> str:
    label = wording.text("cli.board.baseline")
    if not trial.baseline or trial.name == label:
        return trial.name
    return el("span", trial.name, " ", el("i", label))


def _scale(trials: list[Trial]) -> tuple[float, float]:
    """From where to where the pictures reach: the models; a baseline far away is shown at the edge."""
    ends = [
        value
        for trial in trials
        if not trial.baseline
        for value in (*(trial.interval or ()), trial.score)
        if value is not None
    ]
    return (min(ends), max(ends)) if ends else (0.0, 0.0)


def _picture(trial: Trial, scale: tuple[float, float]) -> str:
    low, high = trial.interval or (None, None)
    start, end = scale
    if low is None or high is None or trial.score is None or end <= start or high < start:
        return ""

    def across(value: float) -> float:
        return round(WIDTH * min(max((value - start) / (end - start), 0.0), 1.0), 1)

    # The figures beside it say the same.
    return el(
        "svg",
        void("line", x1=across(low), x2=across(high), y1=MIDDLE, y2=MIDDLE),
        void("circle", cx=across(trial.score), cy=MIDDLE, r=3.5),
        class_="range",
        viewBox=f"0 0 {WIDTH} {2 * MIDDLE}",
        aria_hidden="true",
    )


def _legend(job: Job, scored: list[Trial], wording: Wording) -> Iterator[Html]:
    if is_over(job) and any(trial.tied_with_best for trial in scored[1:]):
        yield el("p", f"{TIED} {wording.text('cli.board.tied')}", class_="quiet")
    # Several models that came to nothing for one reason share one line.
    reasons: dict[str, list[str]] = {}
    for trial in job.leaderboard:
        if trial.score is None:
            reason = trial.reason or wording.text(f"cli.trial.{trial.state}")
            reasons.setdefault(reason, []).append(trial.name)
    for reason, names in reasons.items():
        yield el("p", wording.text("cli.board.missed", names=names, reason=reason), class_="quiet")
