"""Sentences for argparse, which knows nothing of the reader's language."""

from __future__ import annotations

from automl_jupyter import messages
from automl_jupyter.client.discovery import language_of


def sentence(code: str, **params: object) -> str:
    """A sentence in the language of the environment."""
    return messages.render(code, params, messages.negotiate(language_of()))
