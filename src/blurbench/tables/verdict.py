"""What a dataset's numbers say, in a sentence."""

import numpy as np

from blurbench.scoring.scores import RANKED
from blurbench.tables.rendering import best, estimate, few

CERTAIN = 0.05  # p, Holm-corrected, from which on a difference is not shown


def sentence(dataset: str, overall, pairs, primary, references) -> str:
    """Who is ahead on a dataset, by how much, and how far the limit is.

    Parameters
    ----------
    dataset : its name
    overall : rows of its published table over all conditions
    pairs : rows of its pairs table, indexed by method_a and method_b
    primary : the published number that orders the tables
    references : names of the methods that learned ones are tested against
    """
    first = overall[overall.metric == primary.name].set_index("method")
    winners = {kind: best(first, kind) for kind in RANKED}
    ranked = sorted((m for m in winners.values() if m), key=lambda method: first["rank"][method])
    if not ranked:
        return f"{dataset}: no method has an answer."
    winner, *behind = ranked
    n = int(first.n_items.max())
    text = f"{dataset}: {first.kind[winner]} {winner} has the best {primary.label}, {_value(first, winner)}{few(n)}"
    for other in behind:
        text += f"; the best {first.kind[other]} method, {other}, has {_value(first, other)}"
        if (pair := _pair(pairs, winner, other)) is not None:
            text += f", {_differs(pair)}"
    for other in references:
        if (
            other not in (winner, *behind)
            and other in first.index
            and (pair := _pair(pairs, winner, other)) is not None
        ):
            text += f"; from {other}, {_differs(pair)}"
    limits = [
        f"{name} {estimate(first['mean'][name])}" for name in first.index[first.kind == "limit"] if _known(first, name)
    ]
    return f"{text}. {'Limits' if len(limits) > 1 else 'Limit'}: {', '.join(limits)}." if limits else f"{text}."


def sentences(main, pairs, primary) -> dict[str, str]:
    """`sentence` of each dataset, by its name, in the order of the table.

    Parameters
    ----------
    main, pairs : the published and the pairs table of a problem
    primary : the published number that orders the tables
    """
    references, said = tested_against(pairs), {}
    for dataset, part in main.groupby("dataset", sort=False):
        of_dataset = pairs[pairs.dataset == dataset].set_index(["method_a", "method_b"])
        said[dataset] = sentence(str(dataset), part[part.condition == "all"], of_dataset, primary, references)
    return said


def tested_against(pairs) -> list[str]:
    """Names of the methods that learned ones are tested against."""
    return list(pairs.method_b[pairs.p_holm.notna()].unique())


def _value(first, method):
    return estimate(first["mean"][method], first.ci_low[method], first.ci_high[method])


def _known(first, name):
    return np.isfinite(first["mean"][name])


def _pair(pairs, a, b):
    return next((pairs.loc[pair] for pair in ((a, b), (b, a)) if pair in pairs.index), None)


def _differs(pair):
    """A difference, and whether chance makes as much: where it is one of several that were tested, in one of these."""
    size = estimate(
        abs(pair.difference), *sorted(np.sign(pair.difference or 1) * np.array([pair.ci_low, pair.ci_high]))
    )
    if np.isnan(pair.ci_low):
        return f"a difference of {size} without an interval"
    if pair.ci_low <= 0 <= pair.ci_high:
        return f"a difference of {size}, which chance makes too"
    if pair.p_holm >= CERTAIN:  # not where there is none
        return f"a difference of {size}, which chance makes too in one of so many tests (p = {pair.p_holm:.2g})"
    return f"a difference of {size}"
