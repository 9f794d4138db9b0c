"""Train the networks of the fair pair on handwritten digits and write them as network files.

`digits_t3.swn`, `digits_t7.swn` and `digits_t15.swn`: 64-128-10, the sizes of the leaky network
that `train.py` trains, with T = 3, 7, 15 timesteps and 8-bit weights. The split, the augmentation
and the weight of the activity penalty are those of `train.py`; `pair.py` says what these networks
are. Sizes and the rest of the recipe were chosen by cross-validation inside the 1437 images that
are not held out (README.md). As there, a first network of each is trained on 1150 and judged on
287, as a check; the one that is written is trained on all 1437, takes its last epoch, and is judged
on the held-out images once.

One thread and a fixed seed: the same machine and package versions give the same bytes.
"""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from pair import Pair, judge, package
from qat import Recipe, train
from sklearn.datasets import load_digits
from train import HELD_OUT, RATE_PENALTY, VALIDATION, Digits, report

from spikewatt.model.network.file import save_network
from spikewatt.model.network.graph import Network

__all__ = ["NETWORKS", "fit", "main"]

SPARSE = Recipe(epochs=200, learning_rate=4e-3, penalty=RATE_PENALTY)
CHEAP = Recipe(epochs=400, learning_rate=16e-3, penalty=0.3)
"""Few neurons and coarse weights: more of each is needed, and longer training."""
NETWORKS = {
    f"digits_t{t}": (Pair(hidden=128, weight_bits=8, timesteps=t, theta=64), SPARSE)
    for t in (3, 7, 15)
} | {"digits_qnn": (Pair(hidden=60, weight_bits=2, timesteps=15, theta=5), CHEAP)}
"""Sizes and recipe of each file."""


def fit(name: str, data: Digits, seed: int, label: str) -> Network:
    """Train network ``name`` on all of ``data``."""
    pair, recipe = NETWORKS[name]
    net = train(pair, recipe, data, [np.arange(len(data.y))], seed, f"{name}, {label}")
    metadata = {"seed": seed, "recipe": asdict(recipe)}
    return package(pair, net.member(0), name, metadata)


def main() -> None:
    """Train, judge, and write the files."""
    parser = argparse.ArgumentParser(description="Train the digits networks of the fair pair.")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the files")
    parser.add_argument("--seed", type=int, default=0, help="seed of the training")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    x, y = load_digits(return_X_y=True)
    pool, held_out = Digits(np.asarray(x, np.uint8), np.asarray(y, np.int64)).split(HELD_OUT)
    part, validation = pool.split(VALIDATION)
    for name in NETWORKS:
        began = time.monotonic()
        checked = judge(fit(name, part, options.seed, "check"), validation)
        report(f"{name}, trained on {len(part.y)}, validated on {len(validation.y)}", checked)
        network = fit(name, pool, options.seed, "final")
        report(
            f"{name}, trained on {len(pool.y)}, {len(held_out.y)} held out",
            judge(network, held_out),
        )
        save_network(network, options.out / f"{name}.swn")
        print(f"{time.monotonic() - began:.0f} s; wrote {name}.swn to {options.out.resolve()}")


if __name__ == "__main__":
    main()
