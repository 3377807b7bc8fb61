"""What a model version can be exported as."""

from __future__ import annotations

from typing import Literal

ExportFormat = Literal["notebook", "python", "onnx", "mlflow"]
