"""The client itself: one method for each thing that the REST interface does, by what it is about."""

from __future__ import annotations

from automl_jupyter.client.datasets import DatasetVerbs
from automl_jupyter.client.jobs import JobVerbs
from automl_jupyter.client.models import ModelVerbs
from automl_jupyter.client.understanding import UnderstandingVerbs


class Client(DatasetVerbs, JobVerbs, ModelVerbs, UnderstandingVerbs):
    """A connection to the extension in a Jupyter server.

    Parameters
    ----------
    url : str, optional
        The Jupyter server's address; the running one is found unless given.
    token : str, optional
        Its token; found as well unless given.
    language : str, optional
        The language of every sentence (``en``, ``fr``); the environment's unless given.
    timeout : float, default=30.0
        Seconds to wait for an ordinary answer.

    Raises
    ------
    AutoMLError
        From every method, as the child class for the answer's status: `NotFound` for 404, `Conflict` for 409
        and so on, with ``code``, ``params`` and the server's own sentence; `Unavailable` where no server
        answers.
    """
