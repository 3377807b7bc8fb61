"""Pictures of a card: matplotlib's, as SVG that stands in the page, so that no renderer of Vega is needed."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from automl_jupyter.engine.charts.chart import Chart
from automl_jupyter.engine.plots import figures
from automl_jupyter.engine.report.card import Picture

if TYPE_CHECKING:
    from automl_jupyter.engine.plots import Drawable

CHARTS: Mapping[str, str] = {
    "confusion_matrix": "confusion",
    "roc": "roc",
    "predicted_vs_true": "predicted",
    "residuals": "residuals",
    "cluster_sizes": "cluster_sizes",
}
"""Which chart says in words what a figure shows."""


def pictures(model: Drawable, charts: Mapping[str, Chart], language: str) -> list[Picture]:
    """Draw a model's figures with the sentences of its charts.

    Parameters
    ----------
    model : fitted estimator
        Its own held-out predictions are drawn.
    charts : mapping
        Its charts, by name.
    language : str
        One of :data:`automl_jupyter.messages.LANGUAGES`.
    """
    import matplotlib as mpl

    found = []
    # Letters stay letters, and the same model gives the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "card"}):
        for name, figure in figures(model, language).items():
            told = charts[CHARTS[name]].told(language)
            file = io.StringIO()
            figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
            svg = file.getvalue()
            # Each picture's names are its own: several stand in one page.
            svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", svg[svg.index("<svg") :])
            found.append(Picture(told["title"], told["sentence"], svg))
    return found
