"""Keys that a mapping of a configuration file holds twice: YAML takes the last and says nothing."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from blurbench.planning.faults import Fault


def repeated_keys(path: Path | str) -> list[Fault]:
    """Faults of a YAML or JSON file, with the lines of each key that stands in one mapping more than once."""
    with open(path, encoding="utf-8") as file:
        return list(_repeated(yaml.compose(file, Loader=yaml.SafeLoader), str(path), ""))


def _repeated(node: yaml.Node | None, path: str, where: str) -> Iterator[Fault]:
    if isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield from _repeated(value, path, f"{where}.{i}")
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, list[int]] = {}
        for key, value in node.value:
            lines.setdefault(str(key.value), []).append(key.start_mark.line + 1)
            yield from _repeated(value, path, f"{where}.{key.value}")
        for key, found in lines.items():
            if len(found) > 1 and key != "<<":
                text = f"the key in lines {', '.join(map(str, found))}"
                yield Fault(f"{path}: {f'{where}.{key}'.lstrip('.')}", text, "it once, as only the last would count")
