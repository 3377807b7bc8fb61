"""What the client asks about models: explanations, and versions compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from automl_jupyter.client import explanations, reports, values
from automl_jupyter.client.connection import Connection
from automl_jupyter.client.paths import named, path_of
from automl_jupyter.client.waiting import computed

if TYPE_CHECKING:
    from automl_jupyter.schemas import (
        Chart,
        Comparison,
        Dependence,
        Explanation,
        Model,
        ModelRef,
        RowExplanations,
    )


class UnderstandingVerbs(Connection):
    """Explain, compare."""

    def explain(self, model: str | Model | ModelRef, timeout: float | None = None) -> Explanation:
        """What a model has learnt, and where it is weak; computed when it is first asked for.

        Parameters
        ----------
        model : str, Model or ModelRef
            ``name`` for the version in service, ``name:version`` for another one.
        timeout : float, optional
            Seconds to wait for it; as long as it takes unless given.
        """
        from automl_jupyter.schemas import Explanation

        name, params = named(model)
        path = path_of(name, "explain")
        return self._transport.read(Explanation, computed(self._transport, path, params, timeout))

    def dependence(
        self, model: str | Model | ModelRef, column: str, timeout: float | None = None
    ) -> Dependence:
        """How predictions depend on one column; otherwise as :meth:`explain`."""
        from automl_jupyter.schemas import Dependence

        name, params = named(model)
        path = path_of(name, "dependence")
        params = {**params, "column": column}
        return self._transport.read(Dependence, computed(self._transport, path, params, timeout))

    def explain_rows(
        self,
        model: str | Model | ModelRef,
        rows: values.Rows,
        *,
        counterexamples: int = 3,
        what_if: Mapping[str, Sequence[object] | None] | None = None,
        max_predict_ms: float | None = None,
    ) -> RowExplanations:
        """How predictions of some rows, twenty at most, come about.

        Parameters
        ----------
        model : str, Model or ModelRef
            As in :meth:`explain`.
        rows : sequence of mappings, or DataFrame
            As in :meth:`predict`.
        counterexamples : int, default=3
            How many rows to show that are much like it and were predicted otherwise.
        what_if : mapping, optional
            By column, other values to ask about; None for usual ones.
        max_predict_ms : float, optional
            As in :meth:`predict`.
        """
        return explanations.explain_rows(
            self._transport, model, rows, counterexamples, what_if or {}, max_predict_ms
        )

    def draw_rows(
        self,
        model: str | Model | ModelRef,
        rows: values.Rows,
        *,
        max_predict_ms: float | None = None,
        theme: str = "light",
    ) -> list[Chart]:
        """Draw what each column adds to the predictions of some rows, twenty at most: one chart a row.

        Parameters
        ----------
        model : str, Model or ModelRef
            As in :meth:`explain`.
        rows : sequence of mappings, or DataFrame
            As in :meth:`predict`.
        max_predict_ms : float, optional
            As in :meth:`predict`.
        theme : str
            ``light``, ``dark`` or ``contrast``.
        """
        return reports.draw_rows(self._transport, model, rows, max_predict_ms, theme)

    def compare(self, name: str, first: int, second: int, timeout: float | None = None) -> Comparison:
        """How much better one version of a model is than another, on the same rows."""
        from automl_jupyter.schemas import Comparison

        path, params = path_of(name, "compare"), {"versions": f"{first},{second}"}
        return self._transport.read(Comparison, computed(self._transport, path, params, timeout))
