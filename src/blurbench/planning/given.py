"""The configuration as it was given, its layers merged, for the files that a run leaves."""

from collections.abc import Iterable
from typing import Any

import yaml


def text(config: dict[str, Any], problems: Iterable[str]) -> str:
    """YAML of what the tables of some problems depend on, before `configuration.expand`.

    As a layer over config/config.yaml it asks for the same again. Recordings are in no table, and of the other problems
    it says but that they are left out: what they hold may change.

    Parameters
    ----------
    config : the configuration, merged and not expanded; an entry that a layer sets to null stays null
    problems : names of those whose tables are meant
    """
    kept = {key: value for key, value in config.items() if key not in ("problems", "recordings")}
    wanted = set(problems)
    kept["problems"] = {name: entry if name in wanted else None for name, entry in config["problems"].items()}
    # Plain values, whatever mappings Snakemake made of them. In the order given, which is that of the tables.
    return yaml.safe_dump(_plain(kept), sort_keys=False, allow_unicode=True, width=120)


def _plain(value: Any) -> Any:
    """Each list and mapping anew: of one that two entries share, YAML would write an anchor, which readers look for."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
