"""Questions to the server that keep nobody waiting: the kernel stays free for other cells."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from automl_jupyter.client import Client
from automl_jupyter.client.transport import Told
from automl_jupyter.errors import AutoMLError
from automl_jupyter.notebook.boards import is_over
from automl_jupyter.notebook.following import Follower
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.wording import Wording

if TYPE_CHECKING:
    from automl_jupyter.notebook.pages import Page
    from automl_jupyter.schemas import Job


Question = Callable[[Client], None]
Say = Callable[[str, bool], None]


@dataclass
class Worker(Wording):
    """Asks the server in threads of its own, and writes down what comes of it.

    Attributes
    ----------
    state : State
        What the panel knows.
    language : str
        The language of the sentences.
    """

    state: State
    language: str
    _follower: Follower | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def page(self) -> Page:
        """Writes HTML; imported with the first answer, so that the panel itself is on screen at once."""
        from automl_jupyter.notebook.pages import Page

        return Page(self.language)

    def ask(self, question: Question, doing: str, say: Say) -> threading.Thread:
        """Ask something in a thread.

        Parameters
        ----------
        question
            Asks the server, and writes down what it answers.
        doing
            Code of the sentence that is said meanwhile; nothing is said where it is empty.
        say
            Shows a sentence, and whether it tells what went wrong.
        """
        sentence = self.text(doing) if doing else ""
        thread = threading.Thread(target=self._ask, args=(question, sentence, say), daemon=True)
        thread.start()
        return thread

    def _ask(self, question: Question, sentence: str, say: Say) -> None:
        # One question after the other: an answer may change what the next one is about.
        with self._lock:
            say(sentence, False)
            # What is said if a fault of ours ends this thread.
            told, trouble = self.text("notebook.fault"), True
            try:
                with Client(language=self.language) as client:
                    question(client)
                told, trouble = "", False
            except AutoMLError as problem:
                told = self._sentence(problem)
            except OSError as problem:
                why = {"path": str(problem.filename or ""), "why": problem.strerror or str(problem)}
                told = self.text("cli.file", **why)
            finally:
                say(told, trouble)

    def follow(self, job: Job) -> None:
        """Keep an eye on a job until it is over, and no longer on the one before."""
        if self._follower is not None:
            self._follower.leave()
            self._follower = None
        self.state.set_trait("lost", "")
        self.state.set_trait("since", 0.0)
        self.state.set_trait("job", job)
        threading.Thread(target=self._follow, args=(job,), daemon=True).start()

    def _follow(self, job: Job) -> None:
        try:
            with Client(language=self.language) as client:
                follower = self._follower = Follower(client, job)
                for now, since in follower.states():
                    if self._follower is not follower:
                        return
                    self.state.set_trait("since", since)
                    self.state.set_trait("job", now)
                    if is_over(now) and now.model is not None:
                        self.state.set_trait("model", client.model(now.model.name))
        except AutoMLError as problem:
            self.state.set_trait("lost", self._sentence(problem))

    def _sentence(self, problem: AutoMLError) -> str:
        return str(problem) if isinstance(problem, Told) else problem.message(self.language)
