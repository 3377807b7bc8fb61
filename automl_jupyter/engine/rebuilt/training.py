"""Code that divides the rows, boosts on each fold, chooses the rounds by the other folds, and scores."""

from __future__ import annotations

from typing import Any

from automl_jupyter.engine.boosting import MOST_STAGES, OBJECTIVES, STAGED_NUMBERS
from automl_jupyter.engine.learners import Params
from automl_jupyter.engine.rebuilt import scores
from automl_jupyter.engine.rebuilt.cell import Cell, code_of, quoted, said
from automl_jupyter.engine.rebuilt.recipe import Recipe

_OURS = ("rounds", "patience", "native", "target", "stages")
"""Parameters of a trial that are not LightGBM's own."""

_AT_RANDOM = """\
def divide(seed):
    random = np.random.default_rng(seed)
    order = random.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    dealt = np.argsort(random.random((-(-len(y) // FOLDS), FOLDS)), axis=1).ravel()
    fold = np.empty(len(y), int)
    fold[order] = dealt[: len(y)]
    return fold
"""

_BY_GROUPS = """\
def divide(seed):
    group = table[@column@].to_numpy()
    sizes = np.bincount(group)
    pairs, counts = np.unique(group * (strata.max() + 1) + strata, return_counts=True)
    owner, stratum = np.divmod(pairs, strata.max() + 1)
    weight = counts / np.bincount(strata)[stratum]
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    starts = np.searchsorted(owner, np.arange(len(sizes) + 1))
    have, rows = np.zeros((FOLDS, strata.max() + 1)), np.zeros(FOLDS)
    fold = np.empty(len(sizes), int)
    for one in order:
        own = slice(starts[one], starts[one + 1])
        cost = have[:, stratum[own]] @ weight[own] + rows * (sizes[one] / len(group))
        fold[one] = cost.argmin()
        have[fold[one], stratum[own]] += counts[own]
        rows[fold[one]] += sizes[one]
    return fold[group]
"""

_RANGES = """\
edges = np.unique(np.quantile(y.astype("float64"), np.arange(1, 10) / 10))
strata = np.searchsorted(edges, y.astype("float64"), side="right")
"""

_BY_TIME = """\
def divide(seed):
    time = table[@column@].to_numpy("float64")
    known = np.isfinite(time)
    moments, at, counts = np.unique(time[known], return_inverse=True, return_counts=True)
    blocks = max(3, min(@blocks@, known.sum() // 10))
    middle = np.cumsum(counts) - counts / 2
    block = np.unique(np.floor(middle / counts.sum() * blocks), return_inverse=True)[1]
    if block[-1] < 2:
        blocks = min(blocks, len(moments))
        block = np.arange(len(moments)) * blocks // len(moments)
    fold = np.full(len(time), block[-1])
    fold[known] = block[at] - 1
    return fold
"""

_STAGES = """\
LADDER = list(dict.fromkeys(round(4 * 1.18**i) for i in range(50)))


def stages_of(booster@held@):
    made = booster.current_iteration()
    return [*[stage for stage in LADDER if stage < made], made][-@most@:]


def raw_at(booster, rows, stages):
    total, before, found = np.zeros(1, np.float32), 0, []
    for stage in stages:
        some = booster.predict(
            rows, start_iteration=before, num_iteration=stage - before, raw_score=True, num_threads=1
        )
        total, before = total + some.astype(np.float32), stage
        found.append(total)
    return found
"""

_ANSWERS = {
    "binary": """\
def answer(raw):
    positive = expit(raw)
    return np.column_stack([1 - positive, positive])
""",
    "multiclass": """\
def answer(raw):
    return softmax(raw, axis=1)
""",
    "regression": """\
def answer(raw):
    return raw[:, None]
""",
}

_LOSSES = {
    "classes": """\
def loss(predictions, true):
    likely = np.clip(predictions[np.arange(len(true)), true], 1e-7, 1)
    return -np.mean(np.log(likely), dtype="float64")
""",
    "quantity": """\
def loss(predictions, true):
    return np.mean((predictions[:, 0] - true) ** 2, dtype="float64")
""",
}

_CHOOSE = """\
def chosen(parts):
    every = sorted({stage for part in parts for stage in part["stages"]})
    curves = np.stack([np.interp(every, part["stages"], part["losses"]) for part in parts])
    sizes = np.array([len(part["held"]) for part in parts], "float64")
    found = []
    for i, part in enumerate(parts):
        others = np.arange(len(parts)) @others@ i
        best = every[np.argmin(sizes[others] @ curves[others])]
        found.append(np.argmin(np.abs(np.log1p(part["stages"]) - np.log1p(best))))
    return found
"""

_FIT = """\
def fit(rows, held, target, seed, rounds):
    small = {
        "seed": seed,
        "min_data_in_leaf": max(1, min(PARAMS["min_data_in_leaf"], len(rows) // 20)),
        "min_data_per_group": max(5, min(50, len(rows) // 50)),
    }
    train = lgb.Dataset(X[rows], target[rows], categorical_feature=CATEGORICAL, params=PARAMS | small)
    check = lgb.Dataset(X[held], target[held], reference=train, categorical_feature=CATEGORICAL)
    return lgb.train(
        PARAMS | small,
        train,
        num_boost_round=rounds,
        valid_sets=[check],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
        keep_training_booster=True,
    )
"""

_PLAIN = """\
def fit_part(rows, held, seed, rounds):
    booster = fit(rows, held, y, seed, rounds)
    stages = stages_of(booster@held@)
    return stages, [answer(raw) for raw in raw_at(booster, X[held], stages)]
"""

_LOGS = """\
ZERO, SMALL = -shift / scale, 0.05


def fit_part(rows, held, seed, rounds):
    logs = np.log(np.maximum(y.astype("float64") - ZERO, 0) + SMALL)
    mean, spread, most = logs[rows].mean(), logs[rows].std(), logs[rows].max() + 0.1
    coded = ((logs - mean) / spread).astype(np.float32)
    booster = fit(rows, held, coded, seed, rounds)
    stages = stages_of(booster@held@)
    some = rows[np.random.default_rng(seed).permutation(len(rows))[:5000]]
    predictions = []
    for near, raw in zip(raw_at(booster, X[some], stages), raw_at(booster, X[held], stages)):
        missed = (coded[some] - near).astype("float64") * spread
        smear = np.clip(np.exp(np.clip(missed, -20, 20)).mean(), 0.5, 2)
        back = np.exp(np.minimum(raw.astype("float64") * spread + mean, most)) * smear - SMALL + ZERO
        predictions.append(answer(back.astype(np.float32)))
    return stages, predictions
"""

_RUN = """\
def predict_unseen(division, rounds):
    fold, parts = divide(SEED + division), []
    for k in range(FOLDS):
        rows, held = np.flatnonzero(fold @seen@ k), np.flatnonzero(fold == k)
        seed = (SEED * 1009 + (division * @fits@ + k) * 31) % (2**31 - 1)
        stages, predictions = fit_part(rows, held, seed, rounds[k])
        losses = [loss(some, y[held]) for some in predictions]
        parts.append({"held": held, "stages": stages, "losses": losses, "predictions": predictions})
    unseen = np.zeros((len(y), WIDTH), np.float32)
    for part, stage in zip(parts, chosen(parts)):
        unseen[part["held"]] = part["predictions"][stage]
    return unseen


unseen = np.zeros((len(y), WIDTH), np.float32)
for count, (division, rounds) in enumerate(ROUNDS, 1):
    unseen += np.float32(1 / count) * (predict_unseen(division, rounds) - unseen)
"""


def cells(recipe: Recipe, language: str) -> list[Cell]:
    """Cells from the folds to the score."""
    params = recipe.trial.params
    logs, repeats = params.get("target") == "log", len(recipe.reached)
    return [
        said(_dividing(recipe), language, n=recipe.folds.k),
        *([said("repeats", language, n=repeats)] if repeats > 1 else []),
        *_division(recipe, language),
        said("boosting", language, trial=recipe.trial.name),
        code_of(
            _settings(recipe, params),
            f"CATEGORICAL = {_categories(recipe, params)}\nPATIENCE = {params['patience']}",
            _rounds(recipe),
            _FIT,
        ),
        said("stages", language),
        code_of(
            _sized(recipe, _STAGES),
            _ANSWERS[recipe.target.task],
            _LOSSES["quantity" if recipe.target.classes is None else "classes"],
            _CHOOSE.replace("@others@", "<" if recipe.folds.ordered else "!=").replace(
                "        best", _FIRST + "        best" if recipe.folds.ordered else "        best"
            ),
        ),
        *([said("logs", language)] if logs else []),
        code_of(_sized(recipe, _LOGS if logs else _PLAIN)),
        said("run", language),
        Cell(
            _RUN.replace("@seen@", "<" if recipe.folds.ordered else "!=")
            .replace("@fits@", str(recipe.folds.fits) if recipe.folds.ordered else "FOLDS")
            .strip("\n")
        ),
        *_score(recipe, language),
    ]


_FIRST = "        others = others if others.any() else np.arange(len(parts)) == i\n"


def _dividing(recipe: Recipe) -> str:
    if recipe.group is not None:
        return "folds_groups"
    return "folds" if recipe.moment is None else "folds_time"


def _division(recipe: Recipe, language: str) -> list[Cell]:
    given = f"FOLDS = {recipe.folds.k}"
    if recipe.group is not None:
        strata = _RANGES if recipe.target.classes is None else "strata = y"
        return [code_of(given, strata, _BY_GROUPS.replace("@column@", quoted(recipe.group)))]
    if recipe.moment is not None:
        # What was wished for, of which there may be fewer.
        body = _BY_TIME.replace("@column@", quoted(recipe.moment)).replace("@blocks@", str(recipe.wished + 1))
        return [code_of(given, body)]
    return [code_of(given, _AT_RANDOM)]


def _settings(recipe: Recipe, params: Params) -> str:
    objective, metric = OBJECTIVES[recipe.target.task]
    settings: dict[str, Any] = {"objective": objective, "metric": metric}
    if recipe.target.task == "multiclass":
        settings["num_class"] = recipe.width
    settings |= {name: value for name, value in params.items() if name not in _OURS}
    settings = {
        "max_cat_to_onehot": 8,
        **settings,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
    }
    lines = [f"    {name!r}: {value!r}," for name, value in settings.items()]
    return "\n".join(["PARAMS = {", *lines, "}"]).replace("'", '"')


def _rounds(recipe: Recipe) -> str:
    lines = (f"    ({division}, {list(stages)})," for division, stages in recipe.reached)
    return "\n".join(["ROUNDS = [", *lines, "]"])


def _categories(recipe: Recipe, params: Params) -> str:
    if not params.get("native", True) or not recipe.preprocessor.hot:
        return "[]"
    return "[*range(numbers.shape[1], X.shape[1])]"


def _sized(recipe: Recipe, code: str) -> str:
    """Fill in how many stages are kept: of a large table fewer, by the number of its rows."""
    largest = max(int((recipe.folds.part == fold).sum()) for fold in range(recipe.folds.k))
    if MOST_STAGES * largest * recipe.width <= STAGED_NUMBERS:
        return code.replace("@held@", "").replace("@most@", str(MOST_STAGES))
    most = f"max(3, min({MOST_STAGES}, {STAGED_NUMBERS} // (len(held) * WIDTH)))"
    return code.replace("@held@", ", held").replace("@most@", most)


_DECODED = """\
def decoded(codes):
    return np.clip(codes.astype("float64") * scale + shift, lowest, highest)
"""


def _score(recipe: Recipe, language: str) -> list[Cell]:
    score, trial = scores.SCORES[recipe.metric], recipe.trial
    lines, told = _readable(recipe), []
    decided = scores.decided(recipe.metric, recipe.width)
    if decided is not None:
        told = [said("decision", language), Cell(decided.strip("\n"))]
    lines += [
        f"score = {score.code}",
        f"LEADERBOARD, ENSEMBLE = {trial.score!r}, {recipe.ensemble!r}",
        "assert abs(score - LEADERBOARD) <= 1e-6 * max(1, abs(LEADERBOARD)), (score, LEADERBOARD)",
        'print(f"{score:.9f} {LEADERBOARD:.9f} {ENSEMBLE:.9f}")',
    ]
    blocks = [_DECODED] if recipe.target.classes is None else []
    blocks += [score.defined] if score.defined else []
    return [
        *told,
        said("score", language, metric=recipe.metric, trial=trial.name),
        code_of(*blocks, "\n".join(lines)),
    ]


def _readable(recipe: Recipe) -> list[str]:
    """Lines that turn coded predictions of the judged rows into what the metric reads."""
    judged, ordered = "", recipe.folds.ordered
    by_folds = bool(scores.SCORES[recipe.metric].defined)
    lines = ["fold = divide(SEED)"] if ordered or by_folds else []
    if ordered:
        lines.append("judged = (fold >= 1) & (fold < FOLDS)")
        judged = "[judged]"
    if by_folds:
        lines.append(f"within = fold{judged}")
    if recipe.target.classes is None:
        return [
            *lines,
            f"true, predicted = decoded(y){judged}, decoded(unseen[:, 0]){judged}",
        ]
    lines.append('probabilities = unseen.astype("float64")')
    if scores.decided(recipe.metric, recipe.width) is not None:
        if not ordered:
            lines.append("fold = divide(SEED)")
        by = "(fold >= 0) & (fold < k)" if ordered else "fold != k"
        lines += [
            "named = probabilities.argmax(axis=1)",
            "for k in range(FOLDS):",
            f"    by = {by}",
            "    factors = factors_of(y[by], probabilities[by])" + (" if by.any() else 1" if ordered else ""),
            "    named[fold == k] = (probabilities[fold == k] * factors).argmax(axis=1)",
            f"true, named = y{judged}, named{judged}",
        ]
    elif "named" in scores.SCORES[recipe.metric].code:
        lines.append(f"true, named = y{judged}, probabilities.argmax(axis=1){judged}")
    elif ordered:
        lines.append("true, probabilities = y[judged], probabilities[judged]")
    else:
        lines.append("true = y")
    return lines
