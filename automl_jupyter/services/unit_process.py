"""The entry of the process that fits units for a search elsewhere: one child of a lane, warm between units.

It reads what is fitted to once, and says so. Each unit's outcome is a line: where the part is in the storage,
or why there is none.
"""

from __future__ import annotations

import os
import queue
from typing import Any

from automl_jupyter.backends.memory import limit_data
from automl_jupyter.backends.process_main import emit, watch_parent


def main() -> None:
    """Fit as the lines say, one after the other, until the input closes."""
    units: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    payload = watch_parent(units.put)
    limit_data(payload["memory_bytes"])
    from automl_jupyter.services.elsewhere import Bench

    bench = Bench.open(payload)
    emit({"warm": True})
    while True:
        emit({**bench.fit(units.get()), "pid": os.getpid()})


if __name__ == "__main__":
    main()
