"""Cross-validate candidates for the cheapest quantised network as accurate as the leaky one.

Both recipes, that of `train.py` and that of `train_pair.py`, are judged alike: 5 stratified folds
of the 1437 images that are not held out, REPEATS times with other random numbers. For each width
of the weights and number of timesteps the hidden layer grows until the mean accuracy is not below
the leaky network's. Prints the table of README.md and writes nothing; a quarter of an hour.
"""

from collections.abc import Iterator

import numpy as np
import torch
import train
from numpy.typing import NDArray
from pair import Pair, package, predict
from qat import train as train_pair
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold
from train import HELD_OUT, SPLIT, Digits
from train_pair import CHEAP

__all__ = ["GRID", "leaky", "main", "quantised"]

FOLDS, REPEATS = 5, 3
GRID = {2: (5, range(48, 76, 4)), 3: (6, range(36, 60, 4)), 4: (12, range(28, 48, 4))}
"""Weight bits: threshold, and hidden neurons to try, from the cheapest."""
TIMESTEPS = (7, 15)
"""T = 1 and 3 fall short at these sizes (README.md)."""

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


def leaky(pool: Digits, folds: list[Fold]) -> NDArray[np.int64]:
    """Images of the pool that the leaky network reads right, int64[REPEATS], each out of fold."""
    right = np.zeros(REPEATS, np.int64)
    for seed in range(REPEATS):
        for one, two in folds:
            net = train.train(Digits(pool.x[one], pool.y[one]), seed, "leaky")
            unseen = Digits(pool.x[two], pool.y[two])
            share = train.evaluate(net, train.quantise(net, seed), unseen)["quantised accuracy"]
            right[seed] += round(share * len(two))
    return right


def quantised(pair: Pair, pool: Digits, folds: list[Fold]) -> NDArray[np.int64]:
    """The same of a pair network; all repeats and folds are trained side by side."""
    members = [one for _ in range(REPEATS) for one, _ in folds]
    net = train_pair(pair, CHEAP, pool, members, 0, str(pair))
    right = np.zeros(REPEATS, np.int64)
    for repeat in range(REPEATS):
        for fold, (_, two) in enumerate(folds):
            network = package(pair, net.member(repeat * FOLDS + fold), "candidate", {})
            right[repeat] += np.sum(predict(network, pool.x[two]) == pool.y[two])
    return right


def candidates(
    pool: Digits, folds: list[Fold], goal: int
) -> Iterator[tuple[Pair, NDArray[np.int64]]]:
    """Grow each kind of network until its repeats read ``goal`` images right between them."""
    for bits, (theta, sizes) in GRID.items():
        for timesteps in TIMESTEPS:
            for hidden in sizes:
                pair = Pair(hidden=hidden, weight_bits=bits, timesteps=timesteps, theta=theta)
                right = quantised(pair, pool, folds)
                yield pair, right
                if right.sum() >= goal:
                    break


def percent(right: NDArray[np.int64], images: int) -> str:
    """Mean and standard deviation over the repeats."""
    share = 100 * right / images
    return f"{share.mean():.2f} ± {share.std(ddof=1):.2f} %"


def main() -> None:
    """Print the table, cheapest first."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    x, y = load_digits(return_X_y=True)
    pool, _ = Digits(np.asarray(x, np.uint8), np.asarray(y, np.int64)).split(HELD_OUT)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=SPLIT)
    folds = list(splitter.split(pool.x, pool.y))
    goal = leaky(pool, folds)
    rows = sorted(candidates(pool, folds, int(goal.sum())), key=lambda row: row[0].cost)
    heads = ("weight memory [bits]", "MAC x b", "w", "T", "hidden", "accuracy", "admitted")
    table = Table(*heads, title=f"leaky: {percent(goal, len(pool.y))}")
    for pair, right in rows:
        sizes = (*pair.cost, pair.weight_bits, pair.timesteps, pair.hidden)
        admitted = "yes" if right.sum() >= goal.sum() else "no"
        table.add_row(*map(str, sizes), percent(right, len(pool.y)), admitted)
    Console().print(table)


if __name__ == "__main__":
    main()
