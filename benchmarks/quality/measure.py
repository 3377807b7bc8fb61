"""One fit in a process of its own, watched: seconds, memory of all below it, processor time of others."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import psutil

from benchmarks.common import MEGABYTE, ROOT
from benchmarks.quality import errors
from benchmarks.quality.records import Cell
from benchmarks.quality.systems import FIRST_MODEL_LINES
from benchmarks.quality.tables import Split
from benchmarks.quality.worker import FIT_BEGINS, FIT_ENDS

POLL = 0.2
PATIENCE = 180.0
RAISED = re.compile(r"[\w.]*(Error|Exception|Exit)\b")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """What is asked of a worker.

    Attributes
    ----------
    data : mapping
        What the worker is told of its rows: the target's name, the task and either two files or a recipe.
    """

    system: str
    python: Path
    budget: float
    threads: int
    seed: int
    data: dict[str, Any]
    log: Path
    trials: int | None = None


SHARED = ("fit_s", "import_s", "rss_start_mb", "rss_mb", "cpu_s", "other_cpu_s", "wall_s", "versions")
"""What a quick model has in common with the good one, because one fit has made both."""


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes
    ----------
    row : mapping
        Times, memory and what the system said, by column of a results file; a ``note`` that begins with
        ``failed`` where there is no model.
    truth, answer : ndarray or None
        As :func:`benchmarks.quality.errors.error` takes them, of the rows to judge by.
    honest : pair of ndarray, or None
        Truth and predictions that the system's own estimate was made of, where it gives them.
    quick : mapping or None
        The row of the quick model that the same fit has made, where there is one.
    """

    row: dict[str, Cell]
    truth: Any = None
    answer: Any = None
    honest: tuple[Any, Any] | None = None
    quick: dict[str, Cell] | None = None


@dataclass
class _Watch:
    """What is seen of a process and all below it."""

    root: psutil.Process
    peak: float = 0.0
    now: float = 0.0
    seen: dict[psutil.Process, float] = field(default_factory=dict)

    def look(self) -> None:
        """Look once."""
        held = 0.0
        for process in _family(self.root):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    held += process.memory_info().rss / MEGABYTE
            except psutil.Error:
                continue
            self.seen[process] = times.user + times.system
        self.now, self.peak = held, max(self.peak, held)

    def end(self) -> None:
        """End whatever is left; a process that only has the number of one that was seen is not touched."""
        for process in self.seen:
            try:
                process.kill()
            except psutil.Error:
                continue


def _family(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _busy() -> float:
    """Seconds that all cores have worked since the machine started."""
    times = psutil.cpu_times()
    kinds = ("user", "nice", "system", "irq", "softirq", "steal")
    return float(sum(getattr(times, kind, 0.0) for kind in kinds))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def _folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="quality-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def of_split(job: Job, part: Split) -> Outcome:
    """Measure one system on one split; both parts go to it as CSV files, as people have them."""
    with _folder() as files:
        paths = {"train": files / "train.csv", "test": files / "test.csv"}
        part.train.to_csv(paths["train"], index=False)
        part.test.to_csv(paths["test"], index=False)
        data = {**job.data, "task": part.task, **{k: str(v) for k, v in paths.items()}}
        return measure(replace(job, data=data))


def measure(job: Job) -> Outcome:
    """Run one job and watch it; whatever it started is ended, also when this is interrupted."""
    with _folder() as folder:
        (folder / "job.json").write_text(json.dumps(_asked(job, folder)), encoding="utf-8")
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("w", encoding="utf-8") as log:
            row = _watched(job, folder, log)
        if not (folder / "result.json").exists():
            return Outcome({**row, "note": f"failed: {row['note']}"})
        return _read(job, folder, row)


def _asked(job: Job, folder: Path) -> dict[str, Any]:
    kept = {k: getattr(job, k) for k in ("system", "budget", "threads", "seed", "trials")}
    return {**kept, **job.data, "folder": str(folder)}


def _environment(threads: int) -> dict[str, str]:
    added = {name: str(threads) for name in THREADS}
    return {
        **os.environ,
        **added,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
    }


def _watched(job: Job, folder: Path, log: IO[str]) -> dict[str, Cell]:
    own, busy, began = _children(), _busy(), time.monotonic()
    with subprocess.Popen(
        [str(job.python), "-m", "benchmarks.quality.worker", str(folder / "job.json")],
        env=_environment(job.threads),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        watch, over = _Watch(psutil.Process(process.pid)), threading.Event()
        limit = began + 4 * job.budget + PATIENCE
        watcher = threading.Thread(target=_keep_looking, args=(watch, over, limit), daemon=True)
        watcher.start()
        try:
            marks = _follow(job, process, watch, log, began)
            code = process.wait()
        finally:
            over.set()
            watcher.join()
            watch.end()
    wall = time.monotonic() - began
    # A process that lived between two looks is in the one sum, one that nobody waited for in the other.
    used = max(_children() - own, sum(watch.seen.values()))
    said = "out of time" if time.monotonic() > limit else marks.pop("last", "") if code else ""
    return {
        **marks,
        "rss_mb": watch.peak,
        "cpu_s": used,
        "other_cpu_s": max(0.0, _busy() - busy - used),
        "wall_s": wall,
        "note": f"exit code {code} {said}".strip() if code else "",
    }


def _keep_looking(watch: _Watch, over: threading.Event, limit: float) -> None:
    while not over.wait(POLL):
        watch.look()
        if time.monotonic() > limit:
            watch.end()


def _follow(
    job: Job, process: subprocess.Popen[str], watch: _Watch, log: IO[str], began: float
) -> dict[str, Cell]:
    """Read what it says until it ends; the moments of interest, and why it ended as ``last``."""
    said = FIRST_MODEL_LINES.get(job.system.partition("-")[0])
    first = None if said is None else re.compile(said)
    marks: dict[str, Cell] = {}
    fit: float | None = None
    for line in process.stdout or ():
        now = time.monotonic()
        log.write(f"{now - began:8.2f} {line}")
        if line.strip() and (RAISED.match(line) or not RAISED.match(str(marks.get("last", "")))):
            marks["last"] = line.strip()[:200]
        if line.startswith(FIT_BEGINS):
            fit, marks["rss_start_mb"] = now, watch.now
        elif fit is None or "first_model_s" in marks:
            continue
        elif (first is not None and first.search(line)) or line.startswith(FIT_ENDS):
            marks["first_model_s"] = now - fit
    return marks


def _read(job: Job, folder: Path, row: dict[str, Cell]) -> Outcome:
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    with np.load(folder / "answer.npz") as held:
        arrays = dict(held)
    task = job.data["task"]
    classes, quick_times, told = result.pop("classes"), result.pop("quick"), truth
    truth, answer = errors.of_run(task, told, classes, arrays["answer"])
    honest = (arrays["truth"], arrays["honest"]) if "honest" in arrays else None
    said = {k: v for k, v in row.items() if k not in ("last", "note")}
    scored = {**said, **result, "error": errors.error(task, truth, answer)}
    if "quick" not in arrays:
        return Outcome(scored, truth, answer, honest)
    quick = errors.error(task, *errors.of_run(task, told, classes, arrays["quick"]))
    kept = {k: v for k, v in scored.items() if k in SHARED}
    return Outcome(scored, truth, answer, honest, {**kept, **quick_times, "error": quick})
