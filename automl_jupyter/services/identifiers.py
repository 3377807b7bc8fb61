"""Identifiers that nobody can guess."""

from __future__ import annotations

import secrets


def prediction_ids(n: int) -> list[str]:
    """``n`` identifiers of predictions, 96 random bits each, in URL-safe letters."""
    return [secrets.token_urlsafe(12) for _ in range(n)]
