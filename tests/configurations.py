"""Configurations for tests: the layers of config/, changes to them, and what a wrong one is told."""

from pathlib import Path

import pytest
import yaml

from blurbench.planning.configuration import expand
from blurbench.planning.faults import ConfigurationError
from blurbench.planning.merging import merged

ROOT = Path(__file__).parents[1]
IMAGING = "problems.diffusion.datasets.report.imaging"


def layers(*names):
    """Configuration that the files of these names in config/ make, one over the other."""
    config = {}
    for name in names:
        config = merged(config, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    return config


def put(config, path, value):
    """Set the value at a dotted path."""
    *parents, last = path.split(".")
    for key in parents:
        config = config.setdefault(key, {})
    config[last] = value


def refusal(config):
    with pytest.raises(ConfigurationError) as error:
        expand(config)
    return str(error.value)
