"""One fit, in the Python that has the system: ``python -m benchmarks.quality.worker job.json``.

It says on its output when the fit begins and ends, and leaves predictions and times in the job's folder.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.systems import Answer, Setting, System, make

Predict = Callable[[pd.DataFrame], Answer | None]
FIT_BEGINS, FIT_ENDS = "@@FIT_BEGINS", "@@FIT_ENDS"
SINGLE_ROWS = 10


def _read(job: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both parts, with one type per column and classes as words."""
    parts = [pd.read_csv(job[which], low_memory=False) for which in ("train", "test")]
    train, test = parts
    if job["task"] != "regression":
        for part in parts:
            part[job["target"]] = part[job["target"]].astype(str)
    for column in train.columns.drop(job["target"]):
        # A column may be empty in one of the two files, and then looks like numbers there.
        types = (train[column].dtype, test[column].dtype)
        if types[0] != types[1] and object in types:
            for part in parts:
                part[column] = part[column].astype(object)
    return train, test


def _synthetic(job: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of normal numbers and, in every fifth column, one of ten words; some of them decide the target."""
    asked = job["synthetic"]
    rows, columns = asked["rows"] + asked["test_rows"], asked["columns"]
    dice = np.random.default_rng(asked["seed"])
    numbers = dice.standard_normal((rows, columns), dtype=np.float32)
    frame = pd.DataFrame(numbers, columns=[f"c{i}" for i in range(columns)])
    for place in range(4, columns, 5):
        codes = np.clip(np.floor(numbers[:, place] * 2 + 5), 0, 9).astype(int)
        frame[f"c{place}"] = np.array([f"w{i}" for i in range(10)], dtype=object)[codes]
    kept = numbers[:, : min(columns, 10)]
    signal = kept @ np.linspace(1, 0.2, kept.shape[1]) + np.sin(2 * kept[:, 0]) * kept[:, -1]
    signal = signal + dice.standard_normal(rows)
    frame[job["target"]] = signal if job["task"] == "regression" else np.where(signal > 0, "yes", "no")
    return frame.iloc[: asked["rows"]], frame.iloc[asked["rows"] :]


def _single_rows(predict: Predict, X: pd.DataFrame) -> float:
    """Milliseconds for one row: the median of ten, after one that does not count."""
    seconds = []
    for place in range(min(1 + SINGLE_ROWS, len(X))):
        began = time.perf_counter()
        predict(X.iloc[[place]])
        seconds.append(time.perf_counter() - began)
    return 1000 * float(np.median(seconds[1:] or seconds))


def _quick(system: System, X: pd.DataFrame) -> tuple[dict[str, float], Any]:
    """Times and answers of the quick model; nothing where there is none."""
    if system.quick(X.iloc[:1]) is None:
        return {}, None
    began = time.perf_counter()
    answer = system.quick(X)
    seconds = time.perf_counter() - began
    return {"predict_s": seconds, "row_ms": _single_rows(system.quick, X)}, answer and answer[1]


def _versions(packages: tuple[str, ...]) -> str:
    found = []
    for name in packages:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return f"Python {sys.version.split()[0]}, " + ", ".join(found)


def work(job: dict[str, Any]) -> None:
    """Fit, predict, and write what came of it."""
    # Some systems are older than pandas' own type for words.
    pd.set_option("future.infer_string", False)
    folder = Path(job["folder"])
    train, test = _synthetic(job) if "synthetic" in job else _read(job)
    y, X, X_test = train[job["target"]], train.drop(columns=job["target"]), test.drop(columns=job["target"])
    asked = {k: job[k] for k in ("task", "budget", "threads", "seed", "trials")}
    setting = Setting(variant=job["system"].partition("-")[2], folder=folder, **asked)
    began = time.perf_counter()
    system = make(job["system"], setting)
    result: dict[str, Any] = {"import_s": time.perf_counter() - began}
    print(FIT_BEGINS, flush=True)
    began = time.perf_counter()
    system.fit(X, y)
    result["fit_s"] = time.perf_counter() - began
    print(FIT_ENDS, flush=True)
    began = time.perf_counter()
    classes, answer = system.predict(X_test)
    result["predict_s"] = time.perf_counter() - began
    system.warm()
    result["row_ms"] = _single_rows(system.predict, X_test)
    told = system.told()
    arrays = {k: told.pop(k) for k in list(told) if isinstance(told[k], np.ndarray)}
    result["quick"], quick = _quick(system, X_test)
    if quick is not None:
        arrays["quick"] = np.asarray(quick, dtype=float)
    result["classes"] = None if classes is None else [str(c) for c in classes]
    result["versions"] = _versions(system.packages)
    np.savez(folder / "answer.npz", answer=np.asarray(answer, dtype=float), **arrays)
    (folder / "truth.json").write_text(json.dumps(test[job["target"]].tolist()))
    (folder / "result.json").write_text(json.dumps({**result, **told}))
    system.close()


if __name__ == "__main__":
    work(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
