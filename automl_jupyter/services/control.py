"""How a running job is asked to stop or to cancel: by a file that its coordinator looks for.

A file reaches a worker wherever it is, and outlives the server that wrote it.
"""

from __future__ import annotations

STOP, CANCEL = "stop", "cancel"


def control_key(job_id: str, attempt: int, wish: str) -> str:
    """The file whose existence asks a running attempt for something; ``wish`` is STOP or CANCEL."""
    return f"jobs/{job_id}/control/{attempt}-{wish}"


def spread_key(job_key: str) -> str:
    """The folder of what a job's search and its lanes on other workers hand each other."""
    return f"{job_key}/spread"
