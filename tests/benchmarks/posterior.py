"""What Monte Carlo adds to the limit `posterior`, on the stacks of a store: error of its chains, time, coverage.

    python tests/benchmarks/posterior.py results/laptop/datasets/diffusion/report_posterior/test.zarr [stacks per D]

Every stack is answered twice, the second time by its mirror image: the posterior is the same, the chains are others.
What the two answers differ by is their error, and the mean of their product the square of an error without any.
"""

import sys
import time

import numpy as np
from tqdm import tqdm

from blurbench.diffusion.intervals import from_densities
from blurbench.diffusion.items import stacks
from blurbench.diffusion.posterior import posteriors
from blurbench.files.datasets import Dataset


def main(store, per_D=None):
    dataset = Dataset.open(store)
    low, high = dataset.spec["D_um2_s"]
    D, count = dataset.items["D"].to_numpy(), {}
    truth, errors, apart, found, seconds = [], [], [], [], []
    for true, stack in zip(tqdm(D), stacks(dataset)):
        count[true] = count.get(true, 0) + 1
        if per_D and count[true] > int(per_D):
            continue
        start = time.process_time()
        chains = np.array([posteriors(one) for one in (stack, stack._replace(photons=stack.photons.swapaxes(1, 2)))])
        seconds.append((time.process_time() - start) / len(chains))
        at = np.log(low) + (np.arange(chains.shape[-1]) + 0.5) / chains.shape[-1] * np.log(high / low)
        mean, square = chains @ at, chains @ at**2
        truth.append(true)
        errors.append(mean.mean(axis=1) - np.log(true))
        apart.append(np.sqrt(1 + mean.var(ddof=1) / np.mean(square - mean**2)))  # R-hat, of long chains
        found.append(from_densities(chains.mean(axis=1), low, high))
    truth, errors, apart = map(np.array, (truth, errors, apart))
    inside = {
        k: np.array([(one[f"D_lo{k}"] <= D) & (D <= one[f"D_hi{k}"]) for one, D in zip(found, truth)]) for k in (68, 95)
    }
    for value in [*sorted(set(truth)), None]:
        chosen = np.full(len(truth), True) if value is None else truth == value
        exact, added = np.mean(errors[chosen].prod(axis=1)), np.mean(np.diff(errors[chosen]) ** 2) / 2
        print(
            f"{'all' if value is None else f'D = {value:g}':8s} n {chosen.sum():4d}  RMSE {np.sqrt(exact):.4f},"
            f" + {np.sqrt(exact + added) - np.sqrt(exact):.4f} by Monte Carlo  bias {errors[chosen].mean():+.3f}"
            f"  inside 68 % {inside[68][chosen].mean():.3f}, 95 % {inside[95][chosen].mean():.3f}"
            f"  R-hat {np.median(apart[chosen]):.3f}, largest {apart[chosen].max():.3f}"
        )
    print(f"{np.mean(seconds[1:]):.2f} s a stack, after the first")


if __name__ == "__main__":
    main(*sys.argv[1:])
