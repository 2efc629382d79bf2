"""Short pauses: one process serves everybody from one loop, so nothing may hold it for long.

Two things hold it that no line of ours names.  A full garbage collection looks at every object of
the process, which takes up to half a second once the schema and some hundred documents are in
memory.  And a thread that computes gives the interpreter back only when it is asked to, so the
loop, which has to ask after every wait, gets on slowly beside it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping

SWITCH_SECONDS = 0.001
"""For how long a thread may compute while the loop waits for the interpreter; Python's is 0.005."""
FULL = 2
"""The generation of garbage collection that looks at everything."""
THRESHOLDS = (700, 10, 4)
"""How much that is new sets off a collection of each generation; Python's are (700, 10, 10)."""
COUNT_EVERY = 16
"""Full collections between two looks at how much was set aside: counting takes milliseconds."""
GROWTH = 2
SPARE = 600_000


class SetAside:
    """Takes what has survived a full collection out of the next ones.

    Each then looks only at what is new since the last.  What is set aside is still freed as soon as
    nobody refers to it; only cycles that die later stay, until so much is set aside that everything
    is looked at once more.
    """

    def __init__(self) -> None:
        self._collections = 0
        self._most: int | None = None

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """Follow the collector; see `gc.callbacks`."""
        if phase != "stop" or info["generation"] != FULL:
            return
        self._collections += 1
        gc.freeze()
        if self._most is None:
            self._most = GROWTH * gc.get_freeze_count() + SPARE
        elif self._collections % COUNT_EVERY == 0 and gc.get_freeze_count() > self._most:
            gc.unfreeze()  # so the next collection is of everything
            self._most = None


def keep_pauses_short() -> None:
    """Do so for this process, whose long-lived objects are there by now.  Once is enough."""
    sys.setswitchinterval(SWITCH_SECONDS)
    if not any(isinstance(each, SetAside) for each in gc.callbacks):
        gc.callbacks.append(SetAside())
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
