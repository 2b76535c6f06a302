"""How settings are tried: one number at a time, as users do it, at a small part of the cost of all combinations."""

import numpy as np

ROUNDS = 2  # over all numbers of a setting


def climb(grid, scores):
    """The best setting that is reached by varying one number at a time, ROUNDS times over, from the usual ones on.

    Parameters
    ----------
    grid : values of each number of a setting by its name, the usual one first
    scores : function (list of settings, each a tuple of numbers in the order of the grid) -> how good each is, the more
        the better

    Returns
    -------
    best : tuple
    tried : list of tuples, each setting once
    """
    best = tuple(values[0] for values in grid.values())
    tried = {best: None}
    for place, values in [*enumerate(grid.values())] * ROUNDS:
        trials = [best, *((*best[:place], value, *best[place + 1 :]) for value in values)]
        tried |= dict.fromkeys(trials)
        best = trials[int(np.argmax(scores(trials)))]
    return best, list(tried)
