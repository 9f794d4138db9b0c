"""Activity of a design in which nothing happens."""

import numpy as np

from spikewatt.energy.activity.activity import Activity

__all__ = ["NOTHING"]

NOTHING = Activity(
    edges_s=np.zeros(2),
    toggles=np.zeros((1, 2), np.uint64),
    high_s=np.zeros(2),
    origins=np.zeros(2, np.uint8),
    accesses=np.zeros((1, 0), np.uint64),
    clock_edges=np.zeros((1, 0), np.uint64),
    unmatched=(),
    matched=0,
    judged=0,
    scope="",
)
