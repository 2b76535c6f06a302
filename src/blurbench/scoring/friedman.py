"""Whether methods differ over datasets: Friedman's test of their ranks, then Nemenyi's of every pair.

As in Demsar, Statistical comparisons of classifiers over multiple data sets, J. Mach. Learn. Res. 7, 2006, 1-30. Of its
two tests of pairs Nemenyi's and not Wilcoxon's with Holm's correction, which cannot find anything on few datasets: with
the k (k - 1) / 2 pairs of 17 methods, each with a p of 2 / 2**n at best, it would take 13. Demsar asks for more than 10
datasets and 5 methods for the chi-squared of Friedman's statistic to be right. From 6 datasets and 3 methods on, the
two tests together take equal methods for different in 1 to 5 of 100 cases (20,000 drawn, up to 22 methods), so they err
to the safe side. What is found of two methods depends on the others, as ranks are among all.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scikit_posthocs import posthoc_nemenyi_friedman
from scipy.stats import friedmanchisquare, studentized_range

LEVEL = 0.05


class Tested(NamedTuple):
    """What the tests say.

    Parameters
    ----------
    ranks : average rank of each method, by its name; 1 is the best, and equal methods share the mean of theirs
    p : of Friedman's test; 1 where all methods are equal on every dataset
    p_pairs : of Nemenyi's test, by method and method; all 1 where Friedman's finds no difference at LEVEL
    critical : difference of two average ranks from which on Nemenyi's test finds one at LEVEL
    """

    ranks: pd.Series
    p: float
    p_pairs: pd.DataFrame
    critical: float


def test(badness: pd.DataFrame) -> Tested:
    """Compare methods.

    Parameters
    ----------
    badness : a number of each method (columns, three or more) on each dataset (rows), smaller being better
    """
    ranks = badness.rank(axis=1)
    n, k = ranks.shape
    equal = (ranks == ranks.iloc[0, 0]).all(axis=None)
    p = 1.0 if equal else float(friedmanchisquare(*badness.to_numpy().T).pvalue)
    pairs = posthoc_nemenyi_friedman(badness)
    critical = studentized_range.ppf(1 - LEVEL, k, np.inf) / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n))
    return Tested(ranks.mean(), p, pairs if p < LEVEL else pairs * 0 + 1, float(critical))
