"""Cards: every dataset with each of its values, every method with what it took and where it failed."""

from html import unescape

import numpy as np
import pandas as pd
import pytest
from configurations import layers

from blurbench import problems
from blurbench.planning import meanings
from blurbench.planning.configuration import expand
from blurbench.scoring.metric import numbers
from blurbench.tables import cards, method_card
from blurbench.tables.rendering import estimate

CONFIG = expand(layers("config", "smoke"))
GATES = {
    "passed": True,
    "least": {"limit": 1.0, "passed": True, "value": 1.23456},
    "counts": {"limit": 0.5, "passed": False, "value": [{"n": 3, "limit": None}]},
}
COLUMNS = ["dataset", "method", "kind", "status", "n_failed", "n"]


def found(problem, **others):
    """What a run could leave of a problem of CONFIG: made-up numbers, one for each dataset and method."""
    entry = CONFIG["problems"][problem]
    number = numbers(problems.find(problem, "score.METRICS"))[0][1].name
    pairs = [(dataset, method) for dataset, data in entry["datasets"].items() for method in data["methods"]]
    scores = pd.DataFrame(pairs, columns=["dataset", "method"]).assign(
        condition="all", metric=number, mean=0.5, ci_low=0.4, ci_high=0.6, n_items=24, n_failed=0, rank=1.0
    )
    timing = scores[["dataset", "method"]].assign(
        seconds_per_item=np.arange(len(scores)) + 0.125,
        predict_max_rss_mb=np.arange(len(scores)) + 400.5,
        train_items=128.0,
        train_core_s=np.arange(len(scores)) + 300.5,
        train_max_rss_mb=np.arange(len(scores)) + 500.5,
    )
    images = {"shape": [24, 8, 32, 32], "dtype": "uint16", "blake2b": "0123abcd"}
    splits = [(name, split) for name, data in entry["datasets"].items() for split in data["splits"]]
    values = {
        "scores": scores,
        "failures": pd.DataFrame(columns=COLUMNS),
        "timing": timing,
        "not_trained": pd.DataFrame(columns=["problem", "dataset", "method", "seed", "reason", "log"]),
        "mistakes": None,
        "manifests": {names: {"items": 24, "arrays": {"images": images}, "gates": GATES} for names in splits},
        "pictures": {},
        "descriptions": {name: f"What {name} is.\n\nAnd more." for name in entry["methods"]},
    }
    return cards.Found(**values | others)


@pytest.mark.parametrize("problem", CONFIG["problems"])
def test_a_page_holds_a_card_of_every_dataset_and_method_and_every_value_with_its_meaning(problem, tmp_path):
    entry, text = CONFIG["problems"][problem], cards.document(CONFIG, problem, found(problem), tmp_path)
    for name, dataset in entry["datasets"].items():
        assert f'<h3 id="dataset_{name}">' in text
        for key, _, words in meanings.of_dataset(problem, dataset):
            assert words and f"<td>{key}</td>" in text and f"<td>{words}</td>" in unescape(text), key
    for name in entry["methods"]:
        assert f'<h3 id="method_{name}">' in text and f"What {name} is." in text
    assert "1.235" in text and "n 3" in text and "0.393" in text  # gates as they were found; 24 * 8 * 32 * 32 * 2 bytes


def test_values_of_the_configuration_are_those_of_the_card_none_left_out():
    """Counted without the schema; whatever the mapping, its leaves are on the card."""

    def leaves(value):
        return sum(map(leaves, value.values())) if isinstance(value, dict) and value else 1

    for problem, entry in CONFIG["problems"].items():
        for dataset in entry["datasets"].values():
            own = {key: value for key, value in dataset.items() if key not in meanings.OTHERS}
            assert len(meanings.of_dataset(problem, dataset)) == leaves(own)


def test_a_meaning_is_that_of_the_kind_that_the_entry_states():
    gaussian = {"imaging": {"psf": {"kind": "gaussian", "fwhm_um": 0.25}}}
    airy = {"imaging": {"psf": {"kind": "airy", "na": 1.4, "wavelength_um": 0.5}}}
    assert meanings.of_dataset("diffusion", gaussian)[1] == (
        "imaging.psf.fwhm_um",
        0.25,
        "µm, full width at half maximum, or [lo, hi]",
    )
    assert [words for *_, words in meanings.of_dataset("diffusion", airy)] == [
        "one of gaussian, airy, image",
        "numerical aperture",
        "µm, emission wavelength in vacuum",
    ]


def test_costs_are_those_of_timing(tmp_path):
    made = found("diffusion")
    rows = method_card._results("diffusion", made.scores[made.scores.method == "cve"], made.timing)
    times = made.timing[made.timing.method == "cve"]
    assert list(rows["dataset"]) == list(times.dataset) and len(rows) > 1
    assert list(rows["s an item"]) == list(map(estimate, times.seconds_per_item))
    assert list(rows["training core-s"]) == list(map(estimate, times.train_core_s))
    assert list(rows["prediction MB"]) == list(map(estimate, times.predict_max_rss_mb))
    assert list(rows["training MB"]) == list(map(estimate, times.train_max_rss_mb))


def test_a_method_that_fails_is_said_to():
    failures = pd.DataFrame([("report", "cve", "classical", "not <finite>", 2, 24)], columns=COLUMNS)
    raised = pd.DataFrame([{"dataset": "report", "method": "ours", "seed": 1, "reason": "ValueError: none"}])
    made = found("diffusion", failures=failures, not_trained=raised)
    assert method_card.failed("cve", made) == ["Failed: 2 of 24 items of report: not <finite>."]
    assert method_card.failed("ours", made) == ["Failed: its training on report, seed 1, raised: ValueError: none."]
    assert method_card.failed("prior_mean", made) == ["Failed on no item of this run."]
    text = "".join(method_card.card(CONFIG, "diffusion", "cve", made))
    assert "2 of 24 items of report: not &lt;finite&gt;" in text and "<finite>" not in text


def test_the_mistake_that_costs_most_is_named_where_it_is_certain():
    rows = [("none", np.nan, np.nan), ("wider", 0.4, 0.2), ("blinking", 0.1, 0.05), ("corral", 0.9, -0.1)]
    mistakes = pd.DataFrame(rows, columns=["mistake", "loss", "loss_low"]).assign(
        dataset="report_mistakes", method="cve", metric="rmse_ln_d", mean=1.0, ci_low=0.9, ci_high=1.1, n_failed=0
    )
    mistakes["loss_high"] = 2 * mistakes.loss - mistakes.loss_low
    made = found("diffusion", mistakes=mistakes)
    said = "Loses most under wider of report_mistakes: rmse_ln_d worse by 0.40 [0.20, 0.60]."
    assert method_card.lost("cve", made) == [said] and method_card.lost("ours", made) == []
    assert said in "".join(method_card.card(CONFIG, "diffusion", "cve", made))


def test_options_are_told_with_what_they_may_be():
    rows = method_card._options("diffusion", CONFIG["problems"]["diffusion"]["methods"]["resnet2d_rot4"])
    assert rows.set_index("option").loc["rotations"].to_list() == ["4", "1", "one of [1, 4, 8]"]


def test_a_bound_a_limit_and_what_weights_come_from_are_told():
    made = found("diffusion")
    bounds = [name for name, one in CONFIG["problems"]["diffusion"]["methods"].items() if one["bound"]]
    assert bounds and "its answers are no estimates" in "".join(method_card.card(CONFIG, "diffusion", bounds[0], made))
    ours = "".join(method_card.card(CONFIG, "diffusion", "ours", made))
    assert "<dd>report</dd>" in ours and "D_um2_s [" in ours and "epochs 2" in ours
    assert "its answers are no estimates" not in ours
    cve = "".join(method_card.card(CONFIG, "diffusion", "cve", made))
    assert "<dd>nothing</dd>" in cve


def test_a_small_picture_is_in_the_page_and_a_large_one_beside_it(tmp_path):
    (tmp_path / "figures").mkdir()
    picture = tmp_path / "figures/examples_report.png"
    for size, embedded in ((1000, True), (1_000_000, False)):
        picture.write_bytes(b"\0" * size)
        text = cards.document(CONFIG, "diffusion", found("diffusion", pictures={"report": picture}), tmp_path / "cards")
        assert 'href="../figures/examples_report.png"' in text
        assert ("data:image/png;base64,AAAA" in text) == embedded
        assert "Its figures stand with those of report." in text  # of report_mistakes
