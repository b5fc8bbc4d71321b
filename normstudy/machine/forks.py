"""Where processes are forked from one that has imported what they need, so that each of them need not."""

import os
import sys
from multiprocessing import forkserver, get_context
from multiprocessing.context import BaseContext

FORKS = sys.platform == "linux"
"""Whether a process may be forked from one that has imported much; elsewhere that is not safe."""

TRAINING = ("sklearn.datasets", "sklearn.model_selection", "torch._dynamo")
"""What training imports when it is first needed: for digits and their split, and for the first optimizer."""

WITHOUT_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""What keeps libraries from starting threads while they are imported: a process that has threads should not be forked.

OpenBLAS' other threads would only wait in circles for what there is to multiply.
"""


def having_imported(*modules: str) -> BaseContext:
    """A way to start processes that have imported these modules already, where that is safe."""
    if not FORKS:
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(list(modules))
    before = dict(os.environ)
    os.environ.update(WITHOUT_THREADS | before)
    try:
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return context
