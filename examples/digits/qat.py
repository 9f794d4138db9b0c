"""Quantisation-aware training of pair networks: the integers forwards, floats backwards."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pair import INPUTS, Layer, Pair, counts
from rich.console import Console
from rich.progress import track
from train import BATCH, CLASSES, Digits

__all__ = ["PairNet", "Recipe", "train"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Hyper-parameters of a training; ``penalty`` weighs the mean hidden activation, in 0..1."""

    epochs: int
    learning_rate: float
    penalty: float
    weight_decay: float = 0.1
    dropout: float = 0.1


def straight_through(value: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
    """``rounded`` forwards, the gradient of ``value`` backwards (arXiv:1308.3432)."""
    return value + (rounded - value).detach()


class PairNet(torch.nn.Module):
    """``members`` networks of one shape, trained side by side; each sees its own samples.

    Latent weights are floats. The hidden layer's are in the unit where the threshold is 1, so that
    a weight's step is ``1 / theta``; the output layer's step is learned (LSQ, arXiv:1902.08153).
    """

    def __init__(self, pair: Pair, members: int) -> None:
        super().__init__()
        self.pair = pair
        self.low, self.high = -(1 << pair.weight_bits - 1), (1 << pair.weight_bits - 1) - 1
        reach = 2.0 / INPUTS**0.5
        self.hidden = torch.nn.Parameter(
            torch.empty(members, INPUTS, pair.hidden).uniform_(-reach, reach)
        )
        reach = 2.0 / pair.hidden**0.5
        self.output = torch.nn.Parameter(
            torch.empty(members, pair.hidden, CLASSES).uniform_(-reach, reach)
        )
        step = 2 * self.output.detach().abs().mean(dim=(1, 2), keepdim=True) / self.high**0.5
        self.step = torch.nn.Parameter(step)

    def integers(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Both layers in steps, rounded and clipped to ``weight_bits``."""
        hidden, output = self.hidden * self.pair.theta, self.output / self.step
        return self._round(hidden), self._round(output)

    def _round(self, w: torch.Tensor) -> torch.Tensor:
        return straight_through(w, w.round()).clamp(self.low, self.high)

    def forward(self, x: torch.Tensor, dropout: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores [m, n, 10] and hidden activations [m, n, hidden] in 0..1 of counts [m, n, 64]."""
        hidden, output = self.integers()
        t = self.pair.timesteps
        y = (torch.bmm(x, hidden) / self.pair.theta).clamp(-0.5, t + 0.5)
        y = straight_through(y, (y + 0.5).floor().clamp(0, t)) / t
        kept = torch.nn.functional.dropout(y, dropout, self.training)
        return torch.bmm(kept, output * self.step), y

    def member(self, index: int) -> list[Layer]:
        """Layers of one network; floats of the last in an arbitrary unit, as argmax allows."""
        with torch.no_grad():
            both = zip(self.integers(), (self.hidden, self.output), strict=True)
            return [
                (
                    w[index].round().numpy().astype(np.int64),
                    floats[index].numpy().astype(np.float64),
                )
                for w, floats in both
            ]


def train(
    pair: Pair,
    recipe: Recipe,
    data: Digits,
    members: list[NDArray[np.int64]],
    seed: int,
    label: str,
) -> PairNet:
    """Train one network on each of ``members``, indices into ``data``, with no early stop."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net, y = PairNet(pair, len(members)), torch.from_numpy(data.y)
    groups = [
        {"params": [net.hidden, net.output], "weight_decay": recipe.weight_decay},
        {"params": [net.step], "weight_decay": 0.0, "lr": recipe.learning_rate / 10},
    ]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    size = min(len(member) for member in members)  # folds differ by one
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, recipe.epochs * -(-size // BATCH)
    )
    x = counts(data.x, pair.encoder)  # encoded before it moves: a pixel shifted in is 0 either way
    images = Digits(x, data.y)
    for _ in track(range(recipe.epochs), label, transient=True, console=Console(stderr=True)):
        x = torch.from_numpy(images.moved(rng).astype(np.float32))
        order = torch.from_numpy(np.stack([rng.permutation(m)[:size] for m in members]))
        for batch in order.split(BATCH, dim=1):
            scores, hidden = net(x[batch], recipe.dropout)
            loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), y[batch].flatten())
            loss = len(members) * (loss + recipe.penalty * hidden.mean())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                net.step.clamp_(min=1e-3)
            schedule.step()
    return net.eval()
