"""Which machine this is and which of its processes are alive."""

from __future__ import annotations

import os
import re
import socket


def host_name() -> str:
    """Name this machine, in characters that any file name may have."""
    return re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())


def is_running(pid: int) -> bool:
    """Tell whether this machine has a process of that id, whosever it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
