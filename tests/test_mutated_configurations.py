"""Whatever is put into a configuration, it is expanded or refused in a sentence: never a traceback, never a hang.

A mutation changes up to three places of a configuration at random: another value or type, a key too few, another name.
`MUTATIONS=1000 pytest tests/test_mutated_configurations.py` tries more of them.
"""

import copy
import math
import os
import random
import time

import pytest
from configurations import layers
from mutated.mutations import places

from blurbench.planning.configuration import expand
from blurbench.planning.faults import ConfigurationError

MUTATIONS = int(os.environ.get("MUTATIONS", "120"))
LIMIT_S = 20  # of one configuration, which takes a second
VALUES = (
    [None, True, False, "", "word", "32 GB", "1e-4", "../up", "a" * 5000, "\x00", "{problem}", "ours", "report", 5, "5"]
    + [math.nan, math.inf, -math.inf, -1, 0, 1, 0.5, 1e-300, 1e300, 2**70, -(10**30)]
    + [[], [1], [math.nan], ["word"], [[1]], [None], {}, {"a": 1}, {"kind": "word"}, {1: 2}, {"like": "word"}]
)
FILM = {
    "file": ".",
    "problem": "diffusion",
    "dataset": "report",
    "gain": 1.0,
    "offset": 0,
    "polarity": "bright",
    "pixel_size_um": 0.2,
    "frame_time_s": 0.01,
    "exposure_s": 0.01,
    "tracking": {"diameter_px": 5, "minmass": "auto", "search_range_px": 5, "memory": 0, "subtract_drift": False},
}


def mutate(config, rng):
    """Change one place, at any depth with the same chance."""
    by_depth = [[(config, key) for key in config]]
    while deeper := [pair for at, key in by_depth[-1] for pair in children(at[key])]:
        by_depth.append(deeper)
    at, key = rng.choice(rng.choice(by_depth))
    match rng.choice(["value"] * 4 + ["delete", "rename", "copy"]):
        case "delete":
            del at[key]
        case "rename" if isinstance(at, dict):
            at[rng.choice([f"{key}z", "like", "methods", "models", "of", 7, "../up"])] = at.pop(key)
        case "copy":
            other, name = rng.choice(places(config))
            at[key] = copy.deepcopy(other[name])
        case _:
            at[key] = copy.deepcopy(rng.choice(VALUES))


def children(entry):
    keys = entry if isinstance(entry, dict) else range(len(entry)) if isinstance(entry, list) else ()
    return [(entry, key) for key in keys]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", ["smoke", "reference"])
def test_a_mutated_configuration_is_expanded_or_refused(size, seed):
    rng, whole = random.Random(f"{size} {seed}"), layers("config", size)
    whole["recordings"] = {"film": FILM}
    expand(whole)  # as it is, it is right
    for number in range(MUTATIONS // 8):
        config = copy.deepcopy(whole)
        for _ in range(rng.randint(1, 3)):
            mutate(config, rng)
        start = time.perf_counter()
        try:
            expand(config)
        except ConfigurationError as error:
            assert error.faults, number
        assert time.perf_counter() - start < LIMIT_S, number
