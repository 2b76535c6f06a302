"""What Monte Carlo adds to the limit `posterior`, on the stacks of a store: error of its chains, time, coverage.

    python tests/benchmarks/posterior.py results/laptop/datasets/diffusion/report_posterior/test.zarr [stacks per D]

Every stack has four chains. Two and two are answers as the method gives them, and what they differ by is their error.
"""

import sys
import time

import numpy as np
from tqdm import tqdm

from blurbench.diffusion.intervals import from_densities
from blurbench.diffusion.items import stacks
from blurbench.diffusion.posterior import posteriors
from blurbench.files.datasets import Dataset

CHAINS, ANSWER = 4, 2


def main(store, per_D=None):
    dataset = Dataset.open(store)
    low, high = dataset.spec["D_um2_s"]
    D, count = dataset.items["D"].to_numpy(), {}
    rows, answers, seconds = [], [], []
    for truth, stack in zip(tqdm(D), stacks(dataset)):
        count[truth] = count.get(truth, 0) + 1
        if per_D and count[truth] > int(per_D):
            continue
        start = time.process_time()
        densities = posteriors(stack, CHAINS)
        seconds.append((time.process_time() - start) / CHAINS)
        at = np.log(low) + (np.arange(densities.shape[1]) + 0.5) / densities.shape[1] * np.log(high / low)
        mean = densities @ at
        rows.append((truth, *mean - np.log(truth), np.mean(densities @ at**2 - mean**2)))
        answers += [densities[:ANSWER].mean(axis=0), densities[ANSWER:].mean(axis=0)]
    truth, errors, variance = np.split(np.array(rows), [1, 1 + CHAINS], axis=1)
    truth, variance = truth[:, 0], variance[:, 0]
    found = from_densities(answers, low, high)
    inside = {
        level: (found[f"D_lo{level}"] <= np.repeat(truth, 2)) & (np.repeat(truth, 2) <= found[f"D_hi{level}"])
        for level in (68, 95)
    }
    for value in [*sorted(set(truth)), None]:
        chosen = np.full(len(truth), True) if value is None else truth == value
        twice = np.repeat(chosen, 2)
        within = errors[chosen].var(axis=1, ddof=1)  # of a chain
        exact = np.mean(errors[chosen].mean(axis=1) ** 2) - within.mean() / CHAINS
        inflation = np.sqrt(exact + within.mean() / ANSWER) - np.sqrt(exact)
        apart = np.sqrt(1 + within / variance[chosen])  # R-hat, of long chains
        print(
            f"{'all' if value is None else f'D = {value:g}':8s} n {chosen.sum():4d}"
            f"  RMSE {np.sqrt(exact):.4f}, + {inflation:.4f} by Monte Carlo  bias {errors[chosen].mean():+.3f}"
            f"  inside 68 % {inside[68][twice].mean():.3f}, 95 % {inside[95][twice].mean():.3f}"
            f"  R-hat {np.median(apart):.3f}, largest {apart.max():.3f}"
        )
    print(f"{np.mean(seconds[1:]):.2f} s a stack and chain, after the first")


if __name__ == "__main__":
    main(*sys.argv[1:])
