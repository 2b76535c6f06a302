"""From stacks to D per method: answers of known methods, medians with intervals, and the figure."""

import numpy as np
import pandas as pd
import pytest
from beads import D

from blurbench.diffusion import measurement
from blurbench.running.measurement import Measurement


def test_methods_run_on_the_stacks(tracked):
    _, stacks = tracked
    table = measurement.run(stacks, {"cve": {"method": "cve", "kind": "classical", "options": {}, "models": {}}}, "cpu")
    assert len(table) == len(stacks) and (table["status"] == "ok").all()
    assert table["D"].median() == pytest.approx(D, rel=0.25)
    assert {"particle", "frame", "frames", "y_um", "x_um", "method", "kind", "D_lo95", "D_hi95"} <= set(table)


def test_training_seeds_are_averaged(tracked, monkeypatch):
    _, stacks = tracked

    def by_seed(*answers):
        items = pd.DataFrame({"item": np.arange(len(stacks))})
        frames = [items.assign(D=D, D_lo95=D / 2, D_hi95=2 * D, status=status) for D, status in answers]
        return lambda _stacks, entries, _device: [(*entry, dict(enumerate(frames))) for entry in entries.items()]

    entries = {"any": {"kind": "classical"}}
    monkeypatch.setattr(measurement, "answers", by_seed((0.1, "ok"), (0.4, "ok")))
    table = measurement.run(stacks, entries, "cpu")
    np.testing.assert_allclose(table[["D", "D_lo95", "D_hi95"]], [[0.2, 0.1, 0.4]] * len(stacks))
    monkeypatch.setattr(measurement, "answers", by_seed((0.1, "ok"), (0.4, "ok"), (0.2, "why not")))
    table = measurement.run(stacks, entries, "cpu")
    assert (table["status"] == "why not").all()


@pytest.mark.parametrize(
    "method, goes_by_width", [("trackpy_msd", False), ("cve", True), ("spot_width", True), ("width_and_path", True)]
)
def test_who_does_not_go_by_the_width_is_asked_once_and_answers_as_if_asked_thrice(
    tracked, monkeypatch, method, goes_by_width
):
    _, stacks = tracked
    psf = {**stacks.spec["psf"], "told": {**stacks.spec["psf"]["told"], "known_to": 0.05}}
    stacks = stacks.with_spec({**stacks.spec, "psf": psf})
    entry = {"method": method, "kind": "classical", "options": {}, "models": {}}
    asked, at_width = [], measurement._at_width

    def counted(some, *others):
        asked.append(len(some))
        return at_width(some, *others)

    monkeypatch.setattr(measurement, "_at_width", counted)
    monkeypatch.setattr(measurement, "TRIED", 4)
    found = measurement.run(stacks, {"any": entry}, "cpu")
    assert asked == [len(stacks), 4, 4, *[len(stacks)] * (2 if goes_by_width else 0)]
    monkeypatch.setattr(measurement, "_goes_by_width", lambda *_: True)
    pd.testing.assert_frame_equal(found, measurement.run(stacks, {"any": entry}, "cpu"))
    assert (found["D_wider"] == found["D"]).all() != goes_by_width


def measured(**D_by_method):
    rows = [
        {
            "item": i,
            "particle": i // 2,
            "method": name,
            "kind": "classical",
            "D": d,
            "D_narrower": d,
            "D_wider": d,
            "D_lo95": d / 2,
            "D_hi95": 2 * d,
            "bound": "",
            "outside": "",
            "status": "ok" if np.isfinite(d) else "lost",
        }
        for name, values in D_by_method.items()
        for i, d in enumerate(values)
    ]
    return pd.DataFrame(rows)


def ensemble_of(D):
    row = {
        "quantity": "D_linear",
        "lag_s": np.nan,
        "value": D,
        "ci_low": D,
        "ci_high": D,
        "unit": "um2/s",
        "n_tracks": 9,
    }
    return pd.DataFrame([row])


def test_summary_counts_failures_and_compares():
    table = measurement.summarise(measured(a=[0.1, 0.2, 0.3, np.nan], b=[np.nan] * 4), ensemble_of(0.25), expected=0.4)
    table = table.set_index("method")
    assert table.loc["a", ["D", "n_tracks", "n_stacks", "n_failed"]].tolist() == [0.2, 2, 3, 1]
    assert np.isnan(table.loc["a", "ci_low"])  # of two tracks
    assert np.isnan(table.loc["b", "D"]) and table.loc["b", "n_failed"] == 4
    assert table.loc["a", "ratio_to_expected"] == pytest.approx(0.5)
    assert table.loc["ensemble_msd", "D"] == 0.25 and (table["unit"] == "um2/s").all()


def test_interval_of_the_median_covers():
    rng = np.random.default_rng(0)
    hits = 0
    for k in range(100):
        values = np.repeat(rng.lognormal(size=30), 2)  # both stacks of a track alike: 30 independent numbers, not 60
        row = measurement.summarise(measured(a=values), ensemble_of(1.0), resamples=300, seed=k).iloc[0]
        hits += row["ci_low"] <= 1 <= row["ci_high"]
    assert 88 <= hits <= 100


def test_a_measurement_holds_every_method_and_the_ensemble(tracked, recording):
    spots, stacks = tracked
    entries = {"cve": {"method": "cve", "kind": "classical", "options": {}, "models": {}}}
    found = measurement.measure({**recording, "expected_D_um2_s": D}, stacks, spots, entries, "cpu", 100, 1)
    assert found.methods["method"].tolist() == ["cve", "ensemble_msd"]
    assert len(found.details) == len(stacks) and {"msd", "D_linear"} <= set(found.reference["quantity"])
    assert (found.methods["ratio_to_expected"] == found.methods["D"] / D).all()


def test_figure_is_drawn(tracked, recording, tmp_path):
    spots, stacks = tracked
    D = np.random.default_rng(0).normal(0.3, 0.2, len(stacks))
    answers = stacks.items[["particle"]].assign(
        method="cve", kind="classical", status="ok", D=D, D_narrower=D, D_wider=D, bound="", outside=""
    )
    answers.loc[0, ["status", "D"]] = "lost", np.nan
    table = measurement.summarise(answers, ensemble_of(0.3)).assign(remark="the tracks drift together")
    found = Measurement(table, answers, ensemble_of(0.3))
    measurement.draw(tmp_path / "a.svg", recording, stacks, spots, found)
    text = (tmp_path / "a.svg").read_text()
    assert "ensemble MSD, 0.30 µm²/s" in text and "10 µm" in text and "the tracks drift together" in text
