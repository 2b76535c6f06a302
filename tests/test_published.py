"""A method that has changed since its results were published is named in the README."""

import json
import re

import pandas as pd
import pytest
from configurations import ROOT, layers

from blurbench.planning import frozen, sources
from blurbench.planning.configuration import expand

RECORD = ROOT / "docs/published.csv"
STATE = ["kind", "file", "options", "budget", "sweep", "code"]


def states(rows):
    """{problem/method: what it is}."""
    return {f"{row['problem']}/{row['method']}": [row[key] for key in STATE] for row in rows}


def changed(record, now):
    """Methods of a record that are no longer what they were, or no longer there."""
    return {name for name, state in record.items() if now.get(name) != state}


def test_a_method_changed_since_is_named():
    if not RECORD.exists():
        pytest.skip("no run was published yet with docs/published.csv")
    rows, readme = pd.read_csv(RECORD, keep_default_na=False), (ROOT / "README.md").read_text(encoding="utf-8")
    run, seed, commit = (rows[name].unique().tolist() for name in ("run", "seed", "commit"))
    assert len(run) == len(seed) == len(commit) == 1 and re.fullmatch("[0-9a-f]{40}", commit[0])
    assert f"commit `{commit[0][:7]}`" in readme and f"seed {seed[0]}" in readme
    config = expand(layers(*dict.fromkeys(["config", *(name for name in run if name != "full")])))
    sentence = re.search(r"Changed since that run: ([^.]*)\.", readme)
    named = set(re.findall(r"`(\w+/\w+)`", sentence[1])) if sentence else set()
    assert changed(states(rows.to_dict("records")), states(frozen.methods(config))) == named


@pytest.fixture(scope="module")
def now():
    return states(frozen.methods(expand(layers("config", "laptop"))))


def test_every_method_that_runs_is_recorded(now):
    config = expand(layers("config", "laptop"))
    named = {
        (p, name)
        for p, entry in config["problems"].items()
        for d in entry["datasets"].values()
        for name in d["methods"]
    }
    assert set(now) == {"/".join(pair) for pair in named}
    assert json.loads(now["diffusion/width_and_path_mode"][2])["answer"] == "mode"


def test_an_option_a_budget_or_a_sweep_is_a_change_of_that_method_alone(now):
    config = layers("config", "laptop")
    config["problems"]["diffusion"]["methods"]["ours"]["budget"]["epochs"] = 11
    config["problems"]["diffusion"]["methods"]["centroid_msd_optimal"]["options"]["lags"] = "all"
    config["problems"]["diffusion"]["methods"]["pix2d"]["sweep"] = {"learning_rate": [1e-3]}
    found = changed(now, states(frozen.methods(expand(config))))
    ours = {"diffusion/ours", "diffusion/ours_wide"}
    assert found == ours | {"diffusion/centroid_msd_optimal", "diffusion/pix2d"}


@pytest.mark.parametrize(
    "edit, changes",
    [
        (("# words", "# other words"), False),
        (("Doc of", "Docstring of"), False),
        (("\n\n\n", "\n\n"), False),
        (("1 + 1", "1 + 2"), True),
        (("'# no comment'", "'# nor this'"), True),
    ],
)
def test_an_edit_of_words_is_no_change(edit, changes):
    text = '"""Doc of\na module."""\n\n\ndef f():\n    """Doc of f."""\n    return 1 + 1, \'# no comment\'  # words\n'
    assert edit[0] in text
    assert (sources._statements(text) != sources._statements(text.replace(*edit))) == changes
