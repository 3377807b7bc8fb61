"""The command line, ``jupyter automl …``: everything that the REST interface does, from a shell or a script.

Exit codes: 0 fine; 1 the server says no, in one sentence on the standard error; 2 wrong usage; 130 Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from automl_jupyter import messages
from automl_jupyter.cli.parser import parse
from automl_jupyter.client.discovery import language_of
from automl_jupyter.errors import AutoMLError

if TYPE_CHECKING:
    from automl_jupyter.cli.terminal import Terminal

REFUSED = 1
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, without the program's name; those of the process unless given.

    Returns
    -------
    int
        The exit code.
    """
    language = messages.negotiate(language_of())
    arguments = parse(argv, language)

    from automl_jupyter.cli.commands import run
    from automl_jupyter.cli.terminal import Terminal

    terminal = Terminal.of_process(language, json=arguments.json)
    try:
        return run(arguments, terminal)
    except AutoMLError as problem:
        terminal.complain(str(problem))
        return REFUSED
    except OSError as problem:
        return _os_error(problem, terminal)
    except KeyboardInterrupt:
        return INTERRUPTED


def _os_error(problem: OSError, terminal: Terminal) -> int:
    if isinstance(problem, BrokenPipeError):
        # Whoever read our output has enough of it, as `head` does: not worth a word, nor the one that Python
        # would say while it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    terminal.complain(
        terminal.text("cli.file", path=str(problem.filename or ""), why=problem.strerror or str(problem))
    )
    return REFUSED
