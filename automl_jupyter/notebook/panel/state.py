"""What the panel knows, apart from how it looks: parts change it, and are told when others do."""

from __future__ import annotations

from traitlets import Any, Float, HasTraits, Unicode


class State(HasTraits):
    """What the parts of a panel share.

    Each trait holds an object of :mod:`automl_jupyter.schemas`, or None where there is none yet. They are
    replaced, never changed in place. Observers are called in the thread that changed the trait.
    """

    base = Unicode("", help="The base URL of the server, once it has answered.")
    dataset = Any(None, allow_none=True, help="The `Dataset` that is worked with.")
    findings = Any(None, allow_none=True, help="The `Findings` for the target that is chosen.")
    job = Any(None, allow_none=True, help="The `Job` that is watched.")
    since = Float(0.0, help="Seconds since the server told of the job.")
    model = Any(None, allow_none=True, help="The `Model` that the job has made.")
    version = Any(None, allow_none=True, help="Its `ModelVersion` that is looked at.")
    predictions = Any(None, allow_none=True, help="The last `Predictions`.")
    ground = Unicode("light", help="What the page looks like: ``light``, ``dark`` or ``contrast``.")
    lost = Unicode("", help="Why the job is no longer watched.")
