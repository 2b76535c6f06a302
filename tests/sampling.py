"""What sampling error allows: random quantities are compared in units of their standard error."""

import numpy as np
from scipy.stats import chi2, norm

# A right value fails once in 1.7 million. Seeds are fixed, so that a test which passes once passes always.
SIGMAS = 5.0
CHANCE = 2 * norm.sf(SIGMAS)


def deviate(mean, expected, standard_error):
    """Assert that means lie within SIGMAS of what is expected of each; any shape."""
    z = np.abs((np.asarray(mean) - expected) / standard_error)
    assert np.max(z) < SIGMAS, f"{np.max(z):.1f} standard errors from what is expected"


def normal(z):
    """Assert that deviates (any shape) may be independent and standard normal: their squares' sum, and the largest."""
    z = np.ravel(z)
    assert np.max(np.abs(z)) < norm.isf(CHANCE / 2 / len(z)), f"largest of {len(z)} deviates: {np.max(np.abs(z)):.1f}"
    total = np.sum(z**2)
    assert chi2.ppf(CHANCE, len(z)) < total < chi2.isf(CHANCE, len(z)), f"chi-square {total:.0f} of {len(z)} deviates"


def frequencies(counts, p):
    """Assert that counts (n,) were drawn with probabilities p (n,); Pearson's test, rare values pooled."""
    counts, expected = np.asarray(counts, float), np.sum(counts) * np.asarray(p, float)
    assert counts[expected == 0].sum() == 0
    rare = expected < 10
    if rare.any():
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    kept = expected > 1
    statistic = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    assert statistic < chi2.isf(CHANCE, max(kept.sum() - 1, 1)), f"chi-square {statistic:.0f} of {kept.sum()} values"
