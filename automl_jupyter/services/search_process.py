"""The entry of the process that searches: one child of the coordinator, in a process group of its own.

Run as ``python -m automl_jupyter.services.search_process`` with its arguments as the first line of standard
input. It listens for its parent's end before anything heavy is imported: a search must not outlive its job,
not even by the seconds that imports take.
"""

from __future__ import annotations

import queue
import threading
from typing import Any

from automl_jupyter.backends.memory import limit_data
from automl_jupyter.backends.process_main import emit, watch_parent
from automl_jupyter.errors import AutoMLError, to_wire


def main() -> None:
    """Search as the first line says; a line ``{"verb": "stop"}`` asks to end with the best so far."""
    stopped = threading.Event()
    others: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    payload = watch_parent(lambda line: stopped.set() if line["verb"] == "stop" else others.put(line))
    limit_data(payload.get("memory_bytes"))
    from automl_jupyter.services.searching import search

    try:
        search(payload, emit, stopped, others)
    except AutoMLError as error:
        emit({"kind": "error", "error": to_wire(error)})


if __name__ == "__main__":
    main()
