"""The IPython extension: ``%load_ext automl_jupyter`` brings ``%automl`` and ``%%automl``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from IPython.core.magic import Magics, line_cell_magic, magics_class

from automl_jupyter import messages
from automl_jupyter.client.discovery import language_of
from automl_jupyter.client.transport import Told
from automl_jupyter.errors import AutoMLError
from automl_jupyter.notebook.arguments import COMMANDS, Refused, help_of, overview, parser, split

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

ASKED = re.compile(r"^\s*%{1,2}automl(?:\s+(?P<command>[a-z]+))?\s*\?{1,2}\s*$")
HELP = ("-h", "--help")


@magics_class
class AutoMLMagics(Magics):
    """``%automl``: all that the REST interface does, in a cell."""

    def __init__(self, shell: InteractiveShell) -> None:
        from automl_jupyter.notebook.completion import Proposals

        super().__init__(shell)
        self.language = messages.negotiate(language_of())
        self.matcher = Proposals(lambda: shell.user_ns, self.language).matcher()

    @line_cell_magic
    def automl(self, line: str, cell: str | None = None) -> object:
        """Search for models, watch them compete and predict: ``%automl`` alone lists what there is."""
        name, *words = split(line) or [""]
        if not name or name in HELP:
            print(overview(self.language))  # noqa: T201
            return None
        if name not in COMMANDS:
            known = {"word": name, "commands": list(COMMANDS)}
            raise Refused(messages.render("notebook.no_command", known, self.language))
        if set(words) & set(HELP):
            print(help_of(name, self.language))  # noqa: T201
            return None
        if cell is not None and not COMMANDS[name].cell:
            raise Refused(messages.render("notebook.no_cell", {"command": name}, self.language))
        try:
            return self._run(name, words, cell)
        except AutoMLError as problem:
            # The server and the client have said it in the language of the person already.
            sentence = str(problem) if isinstance(problem, Told) else problem.message(self.language)
            raise Refused(sentence) from None
        except OSError as problem:
            why = {"path": str(problem.filename or ""), "why": problem.strerror or str(problem)}
            raise Refused(messages.render("cli.file", why, self.language)) from None

    def _run(self, name: str, words: list[str], cell: str | None) -> object:
        # What it takes to speak to the server is imported by whoever does.
        from automl_jupyter.client import Client
        from automl_jupyter.notebook import commands
        from automl_jupyter.notebook.sources import Words

        arguments = parser(name, self.language).parse_args(words)
        shell = cast("InteractiveShell", self.shell)
        with Client(language=self.language) as client:
            session = commands.Session(
                client=client,
                words=Words(shell.user_ns, client),
                language=self.language,
                # Only a kernel's shell has a kernel; all others write to a terminal or a pipe.
                terminal=getattr(shell, "kernel", None) is None,
                cell=cell,
                execution=shell.execution_count,
            )
            return commands.run(name, arguments, session)


def asked(lines: list[str]) -> list[str]:
    """Have ``%automl train?`` show the help of the sub-command, where IPython looks for a variable."""
    found = ASKED.match("".join(lines))
    return [f"%automl {found['command'] or ''} --help\n"] if found else lines


def load(shell: InteractiveShell) -> None:
    """Bring the magics into a shell."""
    magics = AutoMLMagics(shell)
    shell.register_magics(magics)
    shell.Completer.custom_matchers.append(magics.matcher)
    shell.input_transformers_cleanup.append(asked)


def unload(shell: InteractiveShell) -> None:
    """Take everything out of a shell that :func:`load` brought."""
    manager = shell.magics_manager
    magics = manager.registry.pop(AutoMLMagics.__name__, None)
    if magics is None:
        return
    for kind in ("line", "cell"):
        manager.magics[kind].pop("automl", None)
    shell.Completer.custom_matchers.remove(magics.matcher)
    shell.input_transformers_cleanup.remove(asked)
