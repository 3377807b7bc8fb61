"""The learning curve of a model version; runs in the process that studies."""

from __future__ import annotations

from automl_jupyter.engine.charts import meaning
from automl_jupyter.engine.explain.learning import learning_curve
from automl_jupyter.services.explaining import supervised
from automl_jupyter.services.study_generated import retraced
from automl_jupyter.services.studying import Subject, Tell, as_json

LEARNING_SECONDS = 40.0


def learning(subject: Subject, tell: Tell) -> bytes:
    """The chart of the score by the number of rows that are learnt from."""
    model = supervised(subject.model)
    had = retraced(subject)
    tell(0.05)
    curve = learning_curve(model, had, LEARNING_SECONDS, lambda done: tell(0.05 + 0.9 * done))
    chart = meaning.learning(
        [point.rows for point in curve.points],
        [point.score for point in curve.points],
        [point.interval for point in curve.points],
        curve.gain,
        curve.metric,
        curve.name,
    )
    return as_json([chart.to_dict()])
