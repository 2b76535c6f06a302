"""What the regressions on summaries share: which number they learn, how long their intervals are, what a model holds.

The number is what ln D differs by from the posterior mean of the likelihood of blur and path. Intervals are as long as
that the validation split lies in them: multiples of the likelihood's SD, of which each level has its own (split
conformal prediction, Lei et al. 2018, J Am Stat Assoc 113:1094, sections 2.2 and 5.2).
"""

import time

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from blurbench.diffusion import hermite_moments
from blurbench.diffusion.intervals import TAILS, from_log
from blurbench.diffusion.items import as_trained
from blurbench.diffusion.summaries import summaries

SHARES = 1 / 8, 1 / 4, 1 / 2, 1  # of the training split, from each of which one learns: the learning curve
BLOCK = 4096  # items that are summarised at a time
MOST_SD = 5.0  # how far from its mean, in SD, a summary counts


class SummaryRegression:
    """Base; a method's class has `regress` and `correction`."""

    def regress(self, x, y, validation, seed):
        """Model of the numbers y (n,) by the summaries x (n, columns), as tensors and plain values.

        validation : (x, y) of the validation split, where a setting may be chosen
        """
        raise TypeError(f"{type(self).__name__} has no regression")

    def correction(self, model, x):
        """What a model says of the summaries x (n, columns): (n,)."""
        raise TypeError(f"{type(self).__name__} has no correction")

    def fit(self, splits, budget, device, seed):
        """Learn from splits["train"], choose settings and lengths of intervals on splits["validation"]."""
        start, rows = time.perf_counter(), []
        (given, D), (of_validation, true) = (
            (_summaries(splits[name], budget.threads), splits[name].truth["D"][:]) for name in ("train", "validation")
        )
        mean, sd = given.mean(axis=0), given.std(axis=0)
        model = {"mean": torch.from_numpy(mean), "sd": torch.from_numpy(np.where(sd > 0, sd, 1.0))}
        x, y, u, v = _scaled(model, given), np.log(D) - given[:, 0], _scaled(model, of_validation), np.log(true)
        v = v - of_validation[:, 0]
        with threadpool_limits(budget.threads):
            for share in SHARES:
                n = max(1, round(share * len(x)))
                regression = self.regress(x[:n], y[:n], (u, v), seed)
                error, left = y[:n] - self.correction(regression, x[:n]), v - self.correction(regression, u)
                losses = {"train_loss": np.mean(error**2), "validation_loss": np.mean(left**2)}
                at = {"items": n, "seconds": time.perf_counter() - start}
                rows.append({**at, **losses, "validation_rmse_ln_d": np.sqrt(losses["validation_loss"])})
        away = np.abs(left) / of_validation[:, 1]
        z = {level: float(np.quantile(away, 1 - 2 * tail, method="higher")) for level, tail in TAILS.items()}
        return {**model, "regression": regression, "z": z}, pd.DataFrame(rows)

    def predict(self, dataset, model, device):
        """D of every stack with its intervals. What a method answers stands in blurbench.planning.method."""
        given = _summaries(as_trained(dataset, model["spec"]), 1)
        ln_D = given[:, 0] + self.correction(model["regression"], _scaled(model, given))
        return from_log(ln_D, given[:, 1], model["z"])


def _summaries(dataset, threads):
    """Summaries (n, columns) of all items; only a block of them is in memory with what its frames show."""
    blocks = (dataset[first : first + BLOCK] for first in range(0, max(len(dataset), 1), BLOCK))
    return np.concatenate([summaries(*hermite_moments.features(block, threads)) for block in blocks])


def _scaled(model, given):
    """Summaries less their means over the training split, in SD."""
    return np.clip((given - model["mean"].numpy()) / model["sd"].numpy(), -MOST_SD, MOST_SD)
