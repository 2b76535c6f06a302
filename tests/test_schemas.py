"""The schemas, the layers and their README state the same keys."""

import pytest
import yaml
from configurations import ROOT, layers

from blurbench import problems
from blurbench.planning import schemas
from blurbench.planning.configuration import expand


@pytest.mark.parametrize("layer", ["laptop", "smoke"])
def test_a_layer_states_known_keys_only_and_is_right(layer):
    full, narrowed = layers("config"), yaml.safe_load((ROOT / f"config/{layer}.yaml").read_text())
    optional = {"methods", "budget", "options", "items", "imaging", *work_keys()}

    def check(layer_part, full_part, where):
        for key, value in layer_part.items():
            assert key in full_part or key in optional, f"{where}.{key} is not in config/config.yaml"
            if isinstance(value, dict) and key != "options":  # a method's own, which `expand` holds to it
                check(value, full_part.get(key) or {}, f"{where}.{key}")

    check(narrowed, full, layer)
    expand(layers("config", layer))


def work_keys():
    """Keys that a layer may state for an entry that leaves them to another one in the full configuration."""
    own = map(schemas.of_dataset, problems.names())
    dataset = {key: rules for schema in own for key, rules in schema["properties"].items()}
    house = schemas.of_configuration()["$defs"]
    nested = [part["properties"] for part in dataset.values() if "properties" in part]
    return {
        *dataset,
        *house["budget"]["properties"],
        *house["method"]["properties"],
        *(k for part in nested for k in part),
    }


def test_the_readme_explains_every_key():
    text = (ROOT / "config/README.md").read_text()
    stated = [schemas.of_configuration(), *map(schemas.of_dataset, problems.names())]
    stated += [schemas.of_recording(problem) for problem in problems.names() if schemas.has_recordings(problem)]

    def keys(schema):
        for key, rules in schema.get("properties", {}).items():
            yield key
            yield from keys(rules)
        for rules in schema.get("$defs", {}).values():
            yield from keys(rules)

    assert [key for schema in stated for key in keys(schema) if f"`{key}`" not in text] == []
