"""Scores of diffusion coefficients against numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from synthetic import dataset, predictions

from blurbench.diffusion.score import METRICS, score

D = np.array([0.5, 1.0, 2.0, 4.0])


def by_item(table, metric):
    return table[table.metric == metric].set_index("item").sort_index()["value"].to_numpy()


def test_by_hand():
    guess = predictions([1.0, 1.0, -3.0, 50.0], sd=np.log(1.5))
    table = score(dataset(D, realised=[1, 1, 2, 2]), guess)
    # -3 is taken as the lowest D of the dataset, 50 as the highest.
    assert by_item(table, "error_ln_d") == pytest.approx(np.log([2, 1, 0.1 / 2, 10 / 4]))
    assert by_item(table, "error_um2_s") == pytest.approx([0.5, 0, -5, 46])
    assert by_item(table, "relative_d") == pytest.approx([2, 1, -1.5, 12.5])
    assert by_item(table, "inside_68") == pytest.approx([0, 1, 0, 0])  # [0.67, 1.5] holds 1, not 0.5
    assert by_item(table, "inside_95") == pytest.approx([1, 1, 0, 0])  # [0.45, 2.2] holds 0.5
    assert by_item(table, "error_ln_d_realised") == pytest.approx(np.log([1, 1, 0.05, 5]))
    assert by_item(table, "error_um2_s_realised") == pytest.approx([0, 0, -5, 48])
    assert by_item(table, "success") == pytest.approx([1, 1, 1, 1])
    assert by_item(table, "seconds") == pytest.approx([0.01] * 4)
    assert set(table["D"]) == set(D)


def test_beyond_the_range_estimates_may_be_half_and_twice_what_the_grid_holds():
    table = score(dataset([0.02, 50.0, 50.0, 1.0]), predictions([0.001, 40.0, 500.0, -1.0]))
    assert by_item(table, "error_ln_d") == pytest.approx(np.log([0.01 / 0.02, 40 / 50, 100 / 50, 0.01 / 1]))
    assert (table[table.metric == "error_ln_d"].worst == np.log(100 / 0.01)).all()


def test_no_interval_is_nan_and_not_outside():
    table = score(dataset(D), predictions(D))
    assert np.isnan(by_item(table, "inside_68")).all() and np.isnan(by_item(table, "inside_95")).all()
    assert (table.status == "ok").all()


def test_a_failed_item_keeps_its_rows():
    guess = predictions([0.5, 7.0, np.nan, np.inf], sd=0.1)
    guess.loc[1, "status"] = "fit did not converge"
    table = score(dataset(D), guess)
    assert len(table) == 4 * len(METRICS)
    status = table[table.metric == "error_ln_d"].status
    assert list(status) == ["ok", "fit did not converge", "not finite", "not finite"]
    assert by_item(table, "success") == pytest.approx([1, 0, 0, 0])
    failed = table[(table.item > 0) & (table.metric != "success")]
    assert failed.value.isna().all()
    worst = table.drop_duplicates("metric").set_index("metric").worst
    assert worst["error_ln_d"] == pytest.approx(np.log(100))
    assert worst["inside_95"] == 0 and worst["success"] == 0
    assert np.isnan(worst["seconds"])  # a failure is not slow


def test_each_item_must_be_predicted_once():
    guess = predictions(D)
    for wrong in (guess[:3], guess.iloc[[0, 1, 2, 2]], guess.assign(item=guess.item + 1)):
        with pytest.raises(ValueError, match="each item of the dataset once"):
            score(dataset(D), wrong)


positive = arrays.arrays(float, 5, elements=st.floats(0.2, 5))


@settings(max_examples=30, deadline=None)
@given(truth=positive, guess=positive, order=st.permutations(range(5)))
def test_the_order_of_predictions_does_not_matter(truth, guess, order):
    sorted_table = score(dataset(truth), predictions(guess, 0.3))
    assert score(dataset(truth), predictions(guess, 0.3).iloc[order]).equals(sorted_table)


@settings(max_examples=30, deadline=None)
@given(truth=positive, guess=positive, unit=st.floats(1e-3, 1e3))
def test_errors_of_ln_d_have_no_unit(truth, guess, unit):
    plain = score(dataset(truth), predictions(guess))
    scaled = score(dataset(unit * truth, bounds=(0.1 * unit, 10 * unit)), predictions(unit * guess))
    for metric in ("error_ln_d", "relative_d", "error_ln_d_realised"):
        assert by_item(scaled, metric) == pytest.approx(by_item(plain, metric), abs=1e-9)
    assert by_item(scaled, "error_um2_s") == pytest.approx(unit * by_item(plain, "error_um2_s"), abs=1e-6 * unit)
