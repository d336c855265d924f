"""SegRNN (Lin et al. 2023) on ETTh1, 96 hours ahead, by the usual protocol; runs where torch and pandas are installed.

    python tests/benchmarks/segrnn.py --data FOLDER --channels --test
    python tests/benchmarks/segrnn.py --data FOLDER --units 128 --epochs 12 [--level mean] [--spread]

Seven channels in units of their training part. A GRU reads the lookback in segments; from its last state it takes one
step for each segment of the horizon, which reads what tells that segment (and, with `--channels`, the channel). Mean
absolute error, Adam at 0.001, from the fourth epoch on times 0.8 an epoch; the best epoch of the validation part
counts. `--test` scores the test part, too, as a whole and without the last, smaller batch, as published code long did.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

TRAINING, VALIDATION, TEST = 8640, 11520, 14400
"""Hours at whose end each part ends."""
HORIZON = 96
BATCH = 256
PATIENCE = 5
CONSTANT = 3
"""Epochs before the rate begins to fall."""


class SegRNN(nn.Module):
    """From lookbacks (batch, lookback, channels) to forecasts (batch, horizon, channels)."""

    def __init__(self, asked: argparse.Namespace, channels: int) -> None:
        super().__init__()
        self.asked, self.segments, wide = asked, HORIZON // asked.segment, asked.units
        self.embedding = nn.Sequential(nn.Linear(asked.segment, wide), nn.ReLU())
        self.recurrence = nn.GRU(wide, wide, batch_first=True)
        self.place = nn.Parameter(torch.randn(self.segments, wide // 2 if asked.channels else wide))
        self.channel = nn.Parameter(torch.randn(channels, wide // 2)) if asked.channels else None
        self.head = nn.Sequential(nn.Dropout(asked.dropout), nn.Linear(wide, asked.segment))

    def forward(self, lookback: torch.Tensor) -> torch.Tensor:
        """See the class."""
        last = self.asked.level == "last"
        level = lookback[:, -1:] if last else lookback.mean(1, keepdim=True)
        spread = lookback.std(1, keepdim=True) + 1e-5 if self.asked.spread else 1.0
        seen = ((lookback - level) / spread).transpose(1, 2)
        batch, channels, _ = seen.shape
        _, state = self.recurrence(self.embedding(seen.reshape(batch * channels, -1, self.asked.segment)))
        place = self.place.expand(channels, -1, -1)
        if self.channel is not None:
            place = torch.cat([place, self.channel[:, None].expand(-1, self.segments, -1)], dim=-1)
        asked = place.reshape(channels * self.segments, 1, -1).repeat(batch, 1, 1)
        _, said = self.recurrence(asked, state.repeat_interleave(self.segments, dim=1))
        return self.head(said[0]).reshape(batch, channels, HORIZON).transpose(1, 2) * spread + level


def main() -> None:
    """Fits, and prints the errors of each epoch and of the best one."""
    asked = arguments()
    torch.manual_seed(asked.seed)
    generator = np.random.default_rng(asked.seed)
    table = pd.read_csv(asked.data / "ett" / "ETTh1.csv.gz").iloc[:TEST, 1:].to_numpy(np.float32)
    values = torch.tensor((table - table[:TRAINING].mean(axis=0)) / table[:TRAINING].std(axis=0))
    training, validation = origins(asked.lookback, TRAINING), origins(TRAINING, VALIDATION)
    network = SegRNN(asked, table.shape[1])
    optimizer = torch.optim.Adam(network.parameters(), 0.001)
    best, kept, since = np.inf, network.state_dict(), 0
    for epoch in range(asked.epochs):
        optimizer.param_groups[0]["lr"] = 0.001 * 0.8 ** max(epoch + 1 - CONSTANT, 0)
        learn(network, optimizer, values, generator.permutation(training))
        squares, sizes = (errors.mean() for errors in judged(network, values, validation))
        print(f"epoch {epoch + 1}: validation part {squares:.4f} / {sizes:.4f}", flush=True)
        since += 1
        if sizes < best:
            best, kept, since = sizes, copy.deepcopy(network.state_dict()), 0
        if since == PATIENCE:
            break
    network.load_state_dict(kept)
    squares, sizes = (errors.mean() for errors in judged(network, values, validation))
    print(f"best: validation part, MSE / MAE: {squares:.4f} / {sizes:.4f}")
    if asked.test:
        tested = judged(network, values, origins(VALIDATION, TEST))
        whole, cut = ([errors[:count].mean() for errors in tested] for count in (None, len(tested[0]) // BATCH * BATCH))
        print(f"test part: {whole[0]:.4f} / {whole[1]:.4f}; last batch left out: {cut[0]:.4f} / {cut[1]:.4f}")


def arguments() -> argparse.Namespace:
    """What was asked for; by default what the paper has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="holds ett/ETTh1.csv.gz")
    parser.add_argument("--lookback", type=int, default=720)
    parser.add_argument("--segment", type=int, default=48)
    parser.add_argument("--units", type=int, default=512)
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--level", choices=["last", "mean"], default="last", help="what a window is measured from")
    parser.add_argument("--spread", action="store_true", help="divide a window by its spread, too")
    parser.add_argument("--channels", action="store_true", help="tell the network which channel it is")
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--test", action="store_true", help="score the test part, too")
    return parser.parse_args()


def origins(begin: int, end: int) -> np.ndarray:
    """First hours of the horizons that lie in a part."""
    return np.arange(begin, end - HORIZON + 1)


def windows(values: torch.Tensor, lookback: int, chosen: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Lookbacks and what came behind them."""
    firsts = torch.as_tensor(chosen)[:, None]
    return values[firsts + torch.arange(-lookback, 0)], values[firsts + torch.arange(HORIZON)]


def learn(network: SegRNN, optimizer: torch.optim.Optimizer, values: torch.Tensor, order: np.ndarray) -> None:
    """One epoch."""
    network.train()
    for first in range(0, len(order) - BATCH + 1, BATCH):
        lookback, coming = windows(values, network.asked.lookback, order[first : first + BATCH])
        optimizer.zero_grad()
        nn.functional.l1_loss(network(lookback), coming).backward()
        optimizer.step()


def judged(network: SegRNN, values: torch.Tensor, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean squared and mean absolute error of each window."""
    network.eval()
    squares, sizes = [], []
    with torch.no_grad():
        for first in range(0, len(chosen), BATCH):
            lookback, coming = windows(values, network.asked.lookback, chosen[first : first + BATCH])
            errors = network(lookback) - coming
            squares.append((errors**2).mean((1, 2)))
            sizes.append(errors.abs().mean((1, 2)))
    return torch.cat(squares).numpy(), torch.cat(sizes).numpy()


if __name__ == "__main__":
    main()
