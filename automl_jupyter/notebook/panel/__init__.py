"""The panel: everything from a file to a prediction, in the output of one cell."""

from automl_jupyter.notebook.panel.panel import Panel

__all__ = ["Panel"]
