"""Scores of detected spheres against numbers worked out by hand and known chance levels."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blurbench.colloids import PROBLEM
from blurbench.colloids.score import METRICS, average_precision, challenge_average_precision, match, score
from blurbench.scoring.metric import numbers

VOXEL, D = 0.05, 0.5  # µm: ten voxels a diameter


def spheres(phi, size, seed=0):
    """Random sequential addition of spheres of diameter 1, centres in a cube: no overlap, and no equilibrium."""
    rng = np.random.default_rng(seed)
    points = np.empty((round(phi * 6 / np.pi * size**3), 3))
    n = 0
    while n < len(points):
        for point in rng.random((1000, 3)) * size:
            if n < len(points) and (np.square(points[:n] - point).sum(axis=1) >= 1).all():
                points[n] = point
                n += 1
    return points


def cubic(n, spacing=1.0):
    """Centres of n³ spheres on a simple cubic lattice."""
    return (np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) + 0.5) * spacing


# Average precision over confidence


def test_average_precision_by_hand():
    truth = cubic(2, 3)[:4]
    found = np.concatenate([truth[:3], truth[:2] + 1.2])  # three right, two wrong
    # Right, wrong, right, wrong, right: precision 1, 1/2, 2/3, 1/2, 3/5 at recall 1/4, 1/4, 2/4, 2/4, 3/4.
    confidence = np.array([5, 3, 1, 4, 2.0])
    assert average_precision(truth, found, confidence, 0.25) == pytest.approx((1 + 2 / 3 + 3 / 5) / 4)
    # The wrong ones first: precision 1/3, 2/4, 3/5 at each hit, so 3/5 at that recall or a higher one.
    assert average_precision(truth, found, [1, 1, 1, 2, 2], 0.25) == pytest.approx(3 / 4 * 3 / 5)
    assert average_precision(truth, found, [3, 3, 3, 2, 2], 0.25) == pytest.approx(3 / 4)


def test_average_precision_counts_a_second_detection_as_wrong():
    truth = np.array([[0, 0, 0], [5, 5, 5.0]])
    found = np.array([[0, 0, 0.2], [0, 0, 0.1], [5, 5, 5]])
    # The surest takes the sphere although the other one is nearer: 1, 1/2, 2/3.
    assert average_precision(truth, found, [3, 2, 1], 0.25) == pytest.approx((1 + 2 / 3) / 2)


def test_average_precision_where_it_is_undefined():
    truth = cubic(2, 3)
    assert np.isnan(average_precision(truth, truth, np.full(8, np.nan), 0.25))
    assert np.isnan(average_precision(np.zeros((0, 3)), truth, np.ones(8), 0.25))
    assert average_precision(truth, np.zeros((0, 3)), np.zeros(0), 0.25) == 0


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), ties=st.booleans())
def test_average_precision_depends_on_the_order_of_confidence_alone(seed, ties):
    rng = np.random.default_rng(seed)
    truth = cubic(3)
    found = truth + rng.normal(scale=0.2, size=truth.shape)
    confidence = rng.integers(0, 4, len(found)) if ties else rng.random(len(found))
    value = average_precision(truth, found, confidence, 0.25)
    shuffled = rng.permutation(len(found))
    assert average_precision(truth, found[shuffled], np.exp(confidence[shuffled]), 0.25) == pytest.approx(value)
    # One confidence for all leaves one point of the curve.
    hits = len(match(truth, found, 0.25))
    assert average_precision(truth, found, np.ones(len(found)), 0.25) == pytest.approx(hits**2 / 27**2)


# The challenge's score


BOX = np.array([[0.0] * 3, [8.0] * 3])


def test_challenge_hardly_sees_errors():
    """Constant shifts of a lattice, and independent errors as measured with the challenge's own definition.

    The levels are of one volume each; a few per cent lie between volumes, and twice that at the largest error.
    """
    truth = cubic(8)
    assert challenge_average_precision(truth, truth, 1) == 1
    assert challenge_average_precision(truth, truth + [0, 0, 0.3], 1) == pytest.approx(1)
    assert challenge_average_precision(truth, truth + [0, 0, 0.45], 1) == pytest.approx(0.5)
    truth = spheres(0.3, 8)
    error = np.random.default_rng(2).normal(scale=1 / np.sqrt(3), size=truth.shape)
    for rms, measured, tolerance in ((0.1, 0.98, 0.03), (0.2, 0.93, 0.03), (0.3, 0.92, 0.03), (0.4, 0.83, 0.07)):
        value = challenge_average_precision(truth, truth + rms * error, 1, BOX)
        assert value == pytest.approx(measured, abs=tolerance)


def test_challenge_is_precision_times_recall():
    truth = spheres(0.3, 8)
    wrong = np.random.default_rng(1).random((len(truth) // 2, 3)) * 8
    half = truth[len(truth) // 2 :]
    # Border and chance move these by some per cent. Measured elsewhere for the first and the last: .50 and .30.
    assert challenge_average_precision(truth, half, 1, BOX) == pytest.approx(1 / 2, abs=0.04)
    assert challenge_average_precision(truth, np.r_[truth, wrong], 1, BOX) == pytest.approx(2 / 3, abs=0.04)
    assert challenge_average_precision(truth, np.r_[half, wrong], 0.5, BOX) == pytest.approx(0.3, abs=0.06)


def test_challenge_of_chance():
    """Measured elsewhere, uniform random points: .03, .14 and .32 at volume fractions .1, .3 and .55."""
    for phi, measured in ((0.1, 0.03), (0.3, 0.14), (0.55, 0.32)):
        truth = cubic(13, (np.pi / 6 / phi) ** (1 / 3))
        truth = truth[(truth < 10).all(axis=1)]
        found = np.random.default_rng(0).random((round(phi * 6 / np.pi * 1000), 3)) * 10
        assert challenge_average_precision(truth, found, 1, [[0] * 3, [10] * 3]) == pytest.approx(measured, abs=0.05)


def test_challenge_by_hand():
    truth, found = [[5, 5, 5.0], [5, 5, 8]], [[5, 5, 5.5], [5, 5, 2]]
    # One pair, closeness 1/2, above the thresholds 0 to 4/9 (five of ten): precision 1/2 there, then 0; recall 1/2.
    assert challenge_average_precision(truth, found, 1) == pytest.approx(0.25 * 0.5)
    # With the radius as its scale the closeness is 0, which is not above the threshold 0.
    assert challenge_average_precision(truth, found, 0.5) == 0
    # The border is cut first: at z = 0.6 and 0.4 of a scale of 1, truth stays and detection goes.
    assert challenge_average_precision([[0.6, 5, 5]], [[0.4, 5, 5]], 1, [[0] * 3, [10] * 3]) == 0
    assert challenge_average_precision([[0.6, 5, 5]], [[0.4, 5, 5]], 1) == pytest.approx(1)
    assert challenge_average_precision(np.zeros((0, 3)), found, 1) == 0


# Scores of a dataset


def volumes(truths, size=8, conditions=(0.3, 0.4, 3.0)):
    """What `score` reads of a dataset of cubes; centres are given in diameters from the cube's corner."""
    centres = np.full((len(truths), max(map(len, truths)), 3), np.nan, np.float32)
    for i, truth in enumerate(truths):
        centres[i, : len(truth)] = np.reshape(truth, (-1, 3)) * D - VOXEL / 2
    n = round(size * D / VOXEL)
    items = pd.DataFrame({name: np.full(len(truths), value) for name, value in zip(PROBLEM.conditions, conditions)})
    return SimpleNamespace(
        items=items.assign(particle_size_um=D, voxel_um=VOXEL),
        truth={"centres": centres},
        images=SimpleNamespace(shape=(len(truths), n, n, n)),
        spec={},
    )


def predictions(found, confidence=None, status="ok", seconds=0.5):
    """Predictions of some volumes, given in diameters from the corner; an empty one has a row without coordinates."""
    parts = []
    for i, points in enumerate(found):
        points = np.reshape(np.asarray(points, float), (-1, 3)) * D - VOXEL / 2
        sure = np.arange(len(points), 0, -1.0) if confidence is None else confidence
        part = pd.DataFrame(points, columns=["z", "y", "x"]).assign(confidence=sure)
        parts.append((part if len(part) else part.reindex([0])).assign(item=i))
    return pd.concat(parts, ignore_index=True).assign(seconds=seconds, status=status)


def values(table, item=0):
    return table[table["item"] == item].set_index("metric")["value"].to_dict()


def scored(truth, found, size=8, **options):
    dataset, answers = volumes([truth], size), predictions([found], **options)
    table = score(dataset, answers)
    pd.testing.assert_frame_equal(score(dataset, answers, METRICS[:1]), table[table["metric"] == "f1"])
    return values(table)


@pytest.fixture(scope="module")
def packing():
    """Spheres of a volume 8 d wide, some of them outside, as the simulator gives them."""
    return spheres(0.3, 9) - 0.5


def test_the_truth_scores_one(packing):
    value = scored(packing, packing)
    for name in ("f1", "precision", "recall"):
        assert value[name] == value[name + "_010"] == value[name + "_050"] == 1
    for name in ("ap", "ap_challenge", "ap_challenge_radius", "phi_ratio", "peak_height_ratio", "core_precision"):
        assert value[name] == pytest.approx(1), name
    # float32 micrometres
    for name in ("rms_z_d", "rms_xy_d", "bias_z_d", "peak_position_error", "core_error", "q6_error"):
        assert value[name] == pytest.approx(0, abs=1e-6), name
    assert value["seconds"] == 0.5 and value["success"] == 1


def test_nothing_found(packing):
    value = scored(packing, [])
    assert value["f1"] == value["recall"] == value["ap"] == value["phi_ratio"] == value["ap_challenge"] == 0
    assert value["success"] == 1
    for name in ("precision", "rms_z_d", "rms_xy_d", "bias_z_d", "core_precision", "core_error", "q6_error"):
        assert np.isnan(value[name]), name
    assert np.isnan(value["peak_height_ratio"]) and np.isnan(value["peak_position_error"])


def test_nothing_to_find():
    value = scored([[-0.4, 4, 4]], [[4, 4, 4]])  # its only sphere lies outside
    assert value["precision"] == value["f1"] == 0
    for name in ("recall", "ap", "phi_ratio", "rms_z_d"):
        assert np.isnan(value[name])
    assert value["false_per_volume"] == 1
    assert np.isnan(scored([[-0.4, 4, 4]], [])["f1"])
    empty, wrong = scored([], []), scored([], [[4, 4, 4], [2, 2, 2], [0.1, 4, 4]])  # one in the border
    assert (empty["f1"], empty["false_per_volume"], wrong["f1"], wrong["false_per_volume"]) == (1, 0, 0, 2)
    assert np.isnan(empty["precision"]) and np.isnan(empty["recall"])


def test_by_hand():
    truth = [[2, 2, 2], [2, 2, 5], [5, 5, 2], [5, 5, 5]]
    found = [[2.05, 2, 2], [2, 2, 5.2], [5.1, 5.3, 2], [2, 6, 6]]  # 0.05, 0.2 and 0.32 d off, and wrong
    value = scored(truth, found)
    assert (value["precision"], value["recall"], value["f1"]) == (2 / 4, 2 / 4, 2 / 4)
    assert (value["precision_010"], value["recall_010"], value["f1_010"]) == (1 / 4, 1 / 4, 1 / 4)
    assert (value["precision_050"], value["recall_050"]) == (3 / 4, 3 / 4)
    assert value["ap"] == pytest.approx(2 / 4)  # the two surest are right
    assert value["rms_z_d"] == pytest.approx(0.05 / np.sqrt(2), rel=1e-5)
    assert value["rms_xy_d"] == pytest.approx(0.2 / np.sqrt(4), rel=1e-5)  # two pairs, two axes
    assert value["bias_z_d"] == pytest.approx(0.05 / 2, rel=1e-5)
    assert value["phi_ratio"] == 1 and value["false_per_volume"] == 2


def test_a_pair_across_the_limit_of_the_border_is_no_error():
    inner = [4, 4, 4]
    for truth, found in ((0.55, 0.45), (0.45, 0.55), (7.45, 7.55), (-0.05, 0.05)):
        value = scored([inner, [truth, 4, 4]], [inner, [found, 4, 4]])
        assert value["precision"] == value["recall"] == value["ap"] == 1, (truth, found)
    # Both inside: an error of either kind counts. Both in the border: none does.
    assert scored([inner, [1, 1, 1]], [inner])["recall"] == 0.5
    assert scored([inner], [inner, [1, 1, 1]])["precision"] == 0.5
    assert scored([inner, [0.4, 1, 1]], [inner, [4, 7.7, 4]])["f1"] == 1


def test_volumes_may_be_flat(packing):
    dataset = volumes([packing])
    dataset.images.shape = (1, 8, 80, 80)  # thinner than a sphere: nothing is asked for, nothing fails
    value = values(score(dataset, predictions([packing])))
    assert np.isnan(value["f1"]) and np.isnan(value["core_precision"]) and value["success"] == 1


def test_z_and_xy_errors_apart(packing):
    rng = np.random.default_rng(0)
    value = scored(packing, packing + rng.normal(size=packing.shape) * [0.06, 0.02, 0.02] + [0.03, 0, 0])
    # Some 200 spheres: their rms is known to 5 % and 3.5 %, their mean to 0.004.
    assert value["f1"] == 1
    assert value["rms_z_d"] == pytest.approx(np.hypot(0.06, 0.03), rel=0.15)
    assert value["rms_xy_d"] == pytest.approx(0.02, rel=0.1)
    assert value["bias_z_d"] == pytest.approx(0.03, abs=0.013)


def test_chance_levels_of_random_points():
    """One to one, a random point is matched within r with the probability 1 - exp(-φ (2 r / d)³).

    At φ 0.55 that is 0.066, 0.0044 and 0.42 at 0.25, 0.1 and 0.5 d; as measured elsewhere 0.05, below 0.01 and 0.39.
    """
    truth = cubic(14, (np.pi / 6 / 0.55) ** (1 / 3))
    truth = truth[(truth < 13).all(axis=1)]
    found = np.random.default_rng(0).random((round(0.55 * 6 / np.pi * 13**3), 3)) * 13
    value = scored(truth, found, size=13)
    n = 0.55 * 6 / np.pi * 12**3  # some 1800 points: a standard deviation of 0.006, 0.0016 and 0.012
    assert 1700 < n < 1900
    assert value["precision"] == pytest.approx(1 - np.exp(-0.55 / 8), abs=0.02)
    assert value["precision_010"] < 0.01
    assert value["precision_050"] == pytest.approx(1 - np.exp(-0.55), abs=0.05)
    assert value["f1"] < 0.1
    # Chance matches fill the sphere of the radius: per axis rms = r / √5.
    assert value["rms_z_d"] == pytest.approx(0.25 / np.sqrt(5), rel=0.15)


def test_random_misses_leave_the_core_empty(packing):
    kept = np.random.default_rng(0).random(len(packing)) < 0.6
    value = scored(packing, packing[kept])
    assert value["core_precision"] == 1 and value["core_error"] == 0 and value["precision"] == 1
    # 200 spheres, each kept with probability 0.6: 0.6 ± 0.035
    assert value["recall"] == pytest.approx(0.6, abs=0.1)
    assert value["phi_ratio"] == pytest.approx(value["recall"], abs=0.01)
    assert value["peak_height_ratio"] == pytest.approx(1, abs=0.3)  # g(r) does not see random misses


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_uniform_false_detections_show_in_the_core(share):
    truth = spheres(0.3, 14)
    n = round(len(truth) * share / (1 - share))
    value = scored(truth, np.concatenate([truth, np.random.default_rng(1).random((n, 3)) * 14]), size=14)
    # 1 - P² of some 10^3 pairs in the core: P to about 0.02.
    assert value["core_precision"] == pytest.approx(1 - share, abs=0.05)
    assert value["core_error"] == pytest.approx(value["core_precision"] - value["precision_050"])
    assert abs(value["core_error"]) < 0.06


def test_errors_of_position_lower_and_shift_the_peak():
    truth = spheres(0.3, 14)
    value = scored(truth, truth + np.random.default_rng(0).normal(scale=0.1, size=truth.shape), size=14)
    assert value["peak_height_ratio"] < 0.9
    scaled = scored(truth, 7 + (truth - 7) * 1.06, size=14)
    assert scaled["peak_position_error"] == pytest.approx(0.06, abs=0.02)  # a shell


def test_a_crystal_where_a_fluid_was(packing):
    cell = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    fcc = ((cubic(5) - 0.5)[:, None] + cell).reshape(-1, 3) * 1.6 + 0.2
    # q̄6 of fcc is 0.575 where a sphere has its neighbours around it, that of the fluid 0.105 (Lechner & Dellago 2008).
    assert scored(fcc, packing)["q6_error"] < -0.1
    assert scored(packing, fcc)["q6_error"] > 0.1


def test_too_few_points_say_nothing_of_structure():
    few = cubic(2, 3)[:6] + 1
    value = scored(few, few)
    for name in ("peak_height_ratio", "peak_position_error", "core_precision", "core_error", "q6_error"):
        assert np.isnan(value[name]), name
    assert value["f1"] == 1


def test_a_method_without_confidence_has_no_average_precision(packing):
    dataset = volumes([packing, packing])
    table = score(dataset, predictions([packing, []], confidence=np.nan))
    assert np.isnan(values(table)["ap"]) and np.isnan(values(table, 1)["ap"])
    assert values(table)["f1"] == 1


def test_a_failed_item_keeps_its_rows(packing):
    dataset = volumes([packing] * 4)
    guess = predictions([packing] * 4)
    guess.loc[guess["item"] == 1, "status"] = "out of memory"
    guess.loc[guess.index[guess["item"] == 2][3], "y"] = np.nan
    guess.loc[guess.index[guess["item"] == 3][0], "z"] = np.inf
    table = score(dataset, guess)
    assert len(table) == 4 * len(METRICS)
    assert table.drop_duplicates("item")["status"].tolist() == ["ok", "out of memory", "not finite", "not finite"]
    assert table[table["metric"] == "success"]["value"].tolist() == [1, 0, 0, 0]
    failed = table[(table["item"] > 0) & (table["metric"] != "success")]
    assert failed["value"].isna().all()
    worst = table.drop_duplicates("metric").set_index("metric")["worst"]
    assert worst["f1"] == worst["recall"] == worst["phi_ratio"] == worst["success"] == 0
    assert worst["rms_z_d"] == 0.25  # no matched pair is worse
    assert np.isnan(worst["seconds"])  # a failure is not slow


def test_a_failed_item_may_have_one_row_without_coordinates(packing):
    value = scored(packing, [], status="no fit")
    assert value["success"] == 0 and np.isnan(value["f1"]) and np.isnan(value["recall"])


def test_columns(packing):
    table = score(volumes([packing, packing], conditions=(0.3, 0.4, 1.5)), predictions([packing, packing]))
    assert list(table) == ["item", *PROBLEM.conditions, "metric", "value", "unit", "direction", "status", "worst"]
    assert set(table["phi"]) == {0.3} and set(table["sigma_z_d"]) == {0.4} and set(table["cnr"]) == {1.5}
    assert not table.duplicated(["item", "metric"]).any()


def test_every_item_and_no_other(packing):
    guess = predictions([packing, packing])
    for wrong in (guess[guess["item"] == 0], guess.assign(item=guess["item"] + 1)):
        with pytest.raises(ValueError, match="every item of the dataset"):
            score(volumes([packing, packing]), wrong)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_neither_the_order_of_rows_nor_an_axis_matters(packing, seed):
    rng = np.random.default_rng(seed)
    found = packing[rng.random(len(packing)) < 0.8] + rng.normal(scale=0.1)
    dataset, guess = volumes([packing, packing]), predictions([found, packing])
    table = score(dataset, guess)
    shuffled = score(dataset, guess.sample(frac=1, random_state=seed % 1000))
    pd.testing.assert_frame_equal(shuffled, table, rtol=1e-6)
    mirrored, plain = scored(8 - packing, 8 - found), values(table)
    for name in {metric.name for metric in METRICS} - {"bias_z_d"}:
        assert mirrored[name] == pytest.approx(plain[name], nan_ok=True, abs=1e-4), name
    assert mirrored["bias_z_d"] == pytest.approx(-plain["bias_z_d"], nan_ok=True, abs=1e-5)


def test_the_published_numbers():
    main = [number for _, number in numbers(METRICS)]
    assert main[0].name == "f1"
    expected = "precision recall f1 ap ap_challenge rms_z_d rms_xy_d bias_z_d phi_ratio core_precision"
    assert {number.name for number in main} >= {*expected.split(), "seconds", "success_rate"}
    assert sum(bool(number.label) for number in main) <= 10
    challenge = "ap_challenge_radius ap_challenge_diameter f1_050 precision_050 recall_050"
    assert [number.name for _, number in numbers(METRICS, "challenge")] == challenge.split()
