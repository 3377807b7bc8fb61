"""What the engine needs where it is copied to: public packages at the versions that are installed."""

from __future__ import annotations

from importlib.metadata import version

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "lightgbm")


def requirements() -> list[str]:
    """List pinned requirements, such as ``numpy==2.4.6``, of exactly what is installed."""
    return [f"{name}=={version(name)}" for name in PACKAGES]
