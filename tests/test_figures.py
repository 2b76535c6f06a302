"""Every declared figure has its module, and the other way round; what the figures of all problems share."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from svg import texts

from blurbench import problems
from blurbench.drawing import gallery, learning_curves, pareto, style, training_cost
from blurbench.drawing.axes import apart, keep_first, plain, plain_log, round_numbers, scale_bar, side_by_side
from blurbench.drawing.material import Material, MethodFile
from blurbench.drawing.style import method_styles
from blurbench.files.answers import OK
from blurbench.scoring.metric import Metric, numbers
from blurbench.scoring.scores import Scores

pytestmark = pytest.mark.usefixtures("no_warnings")


@pytest.mark.parametrize("problem", problems.names())
def test_figures_are_declared_and_defined(problem):
    declared = problems.load(problem)
    names = declared.figures + declared.training_figures + declared.summary_figures
    assert all(callable(problems.find(problem, f"figures.{name}.draw")) for name in names)
    folder = problems.LIBRARY / problem / "figures"
    defined = {path.stem for path in folder.glob("*.py") if "\ndef draw(" in path.read_text(encoding="utf-8")}
    assert defined == set(names) and len(names) == len(defined)


@pytest.mark.parametrize("problem", problems.names())
def test_a_figure_without_data_says_so(problem, tmp_path):
    declared = problems.load(problem)
    for name in declared.figures + declared.training_figures + declared.summary_figures:
        problems.find(problem, f"figures.{name}.draw")(tmp_path / "none.svg", Material(resamples=100, seed=1))
        (text,) = texts(tmp_path / "none.svg")
        assert text.startswith("no ")


def test_a_figure_that_nobody_defines_is_an_error():
    with pytest.raises(problems.ProblemError, match=r"diffusion/figures/pie\.py: found no such file"):
        problems.find("diffusion", "figures.pie.draw")


def test_estimates_are_those_of_the_resamples_and_seed():
    values = np.random.default_rng(1).normal(size=(2, 1, 50))
    methods = pd.DataFrame({"method": ["a", "b"], "kind": "classical", "seeds": 1})
    answered = np.full(values.shape, OK, object)
    scores = Scores(
        "one",
        methods,
        pd.DataFrame({"D": np.ones(50)}),
        np.arange(50),
        {"f1": values},
        {"f1": values * np.nan},
        answered,
    )
    first, again = (Material(resamples=200, seed=1).estimate(scores, "f1", "mean") for _ in range(2))
    assert first.shape == (3, 2) and np.array_equal(first, again)
    assert first[0] == pytest.approx(values.mean(axis=(1, 2)))
    assert (first[1] < first[0]).all() and (first[0] < first[2]).all()
    other = Material(resamples=200, seed=2).estimate(scores, "f1", "mean")
    assert np.array_equal(first[0], other[0]) and not np.array_equal(first[1:], other[1:])


def curves(folder, losses):
    for method, loss in losses.items():
        for seed in (2, 10):
            items = np.array([1e3, 1e4, 1e5])
            table = {"items": items, "seconds": items / 1e3, "train_loss": loss, "validation_loss": loss}
            path = folder / f"{method}_{seed}.csv"
            pd.DataFrame({**table, "f1": [np.nan, 0.3, 0.6], "silent": np.nan}).to_csv(path, index=False)
            yield MethodFile("levels", method, seed, path)


def test_learning_curves_have_a_panel_per_method_and_per_metric(tmp_path):
    """More methods than a row holds; a metric that is not always known, and one that never is."""
    given = Material(resamples=100, seed=1, dataset="levels")
    given.curves = list(curves(tmp_path, {name: -1.0 for name in "abcdef"}))
    learning_curves.draw(tmp_path / "one.svg", given, {"f1": "F1, validation", "silent": "unknown"})
    found = texts(tmp_path / "one.svg")
    assert {*"abcdef", "(1.7 min)", "F1, validation", "unknown", "0.5", "levels", "1000", "10k", "100k"} <= found


def test_a_training_that_raised_has_no_learning_curve(tmp_path):
    given = Material(resamples=100, seed=1, dataset="levels")
    given.curves = list(curves(tmp_path, {"a": -1.0, "b": -1.0}))
    for one in (one for one in given.curves if one.method == "a" or one.seed == 2):
        one.file.write_text("items,seconds,core_s,train_loss,validation_loss\n")
    learning_curves.draw(tmp_path / "one.svg", given, {"f1": "F1, validation"})
    assert {"b", "(1.7 min)"} <= texts(tmp_path / "one.svg") and "a" not in texts(tmp_path / "one.svg")
    given.curves = [one for one in given.curves if one.method == "a"]
    learning_curves.draw(tmp_path / "none.svg", given)
    assert "no method of this dataset was trained" in texts(tmp_path / "none.svg")


@pytest.mark.parametrize(
    "other",
    [{"options": {"width": 16}}, {"budget": {"epochs": 4, "learning_rate": 1e-5}}, {"sweep": {"scale": [1, 2]}}],
)
def test_error_against_cost_joins_the_trainings_that_differ_in_their_epochs(tmp_path, other):
    """An error of ln D of 0.2 for `net` and of 0.4 for its quarter; a classical method and a limit are lines."""
    rng, files = np.random.default_rng(1), []
    kinds = {"net": "learned", "net_quarter": "learned", "other": "learned", "fit": "classical", "best": "limit"}
    frames = []
    for (name, kind), rms in zip(kinds.items(), (0.2, 0.4, 0.3, 0.25, 0.1)):
        value = rng.permutation(np.repeat([-rms, rms], 20))  # whose RMS is that, exactly
        frames.append(pd.DataFrame({"item": range(40), "metric": "error_ln_d", "value": value, "worst": 1.0}))
        frames[-1] = frames[-1].assign(
            dataset="report", method=name, kind=kind, seed=int(kind == "learned"), status="ok"
        )
    for name, core_s in (("net", 40.0), ("net_quarter", 10.0), ("other", 40.0)):
        files.append(MethodFile("report", name, 1, tmp_path / f"{name}.csv"))
        curve = {"items": [5, 1000 * core_s], "core_s": [0.1, core_s]}
        pd.DataFrame(curve).to_csv(files[-1].file, index=False)
    same = {"method": "net", "options": {"width": 8}, "budget": {"epochs": 4, "learning_rate": 1e-3}, "sweep": {}}
    quarter = {**same, "budget": {**same["budget"], "epochs": 1}}
    entries = {"net": same, "net_quarter": quarter, "other": {**same, **other}}
    metric, number = numbers(problems.find("diffusion", "score.METRICS"))[0]
    given = Material(resamples=100, seed=1, dataset="report", curves=files, validation=frames, methods=entries)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(style, "save", lambda drawing, path: drawn.append(drawing))
        drawn = []
        training_cost.draw(tmp_path / "cost.svg", given, metric, number)
    for ax, unit in zip(drawn[0].axes, (1, 1000)):
        points = {bars.get_label(): bars[0].get_xydata() for bars in ax.containers}
        assert points["net"] == pytest.approx(np.array([[10 * unit, 0.4], [40 * unit, 0.2]]))
        assert points["other"] == pytest.approx(np.array([[40 * unit, 0.3]])) and len(points) == 2
        lines = {line.get_label(): line.get_ydata()[0] for line in ax.lines if not line.get_label().startswith("_")}
        assert lines == pytest.approx({"fit": 0.25, "best": 0.1})


def test_an_interval_of_error_against_cost_may_pass_0(tmp_path):
    """Eight volumes of which two fail: an F1 of 0.75, and one that is never wrong; the log axis shows both."""
    f1 = np.repeat([1.0, 0.0], [6, 2])
    about = {"dataset": "levels", "item": range(8), "metric": "f1", "worst": 0.0, "status": "ok"}
    frames = [
        pd.DataFrame({**about, "value": f1, "method": "net", "kind": "learned", "seed": 1}),
        pd.DataFrame({**about, "value": 1.0, "method": "best", "kind": "limit", "seed": 0}),
    ]
    pd.DataFrame({"items": [10], "core_s": [1.0]}).to_csv(tmp_path / "net.csv", index=False)
    curve, entries = (
        MethodFile("levels", "net", 1, tmp_path / "net.csv"),
        {"net": {"method": "net", "options": {}, "budget": {}, "sweep": {}}},
    )
    given = Material(resamples=100, seed=1, dataset="levels", curves=[curve], validation=frames, methods=entries)
    metric, number = numbers(problems.find("colloids", "score.METRICS"))[0]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(style, "save", lambda drawing, path: drawn.append(drawing))
        drawn = []
        training_cost.draw(tmp_path / "cost.svg", given, metric, number)
    low, high = drawn[0].axes[0].get_ylim()
    (bar,) = drawn[0].axes[0].containers[0][2]
    (_, below), (_, above) = bar.get_segments()[0]
    assert below < 0 < low < 0.25 < above < high


def test_a_method_looks_alike_in_all_figures_of_a_problem():
    given = Material(
        resamples=1, seed=1, kinds={"net": "learned", "msd": "classical", "cve": "classical", "bound": "limit"}
    )
    alone, beside = (
        given.styles({"cve": "classical"}),
        given.styles({"bound": "limit", "cve": "classical", "net": "learned"}),
    )
    assert alone["cve"] == beside["cve"] and list(beside) == ["bound", "cve", "net"]


def test_methods_of_a_figure_are_told_apart():
    kinds = ["learned"] * 9 + ["classical"] * 9 + ["limit"] * 5 + ["control"]
    styles = method_styles({f"{kind}_{k}": kind for k, kind in enumerate(kinds)})
    assert len({tuple(look.items()) for look in styles.values()}) == len(kinds)
    assert all(bool(look["marker"]) == (kind in ("learned", "classical")) for look, kind in zip(styles.values(), kinds))


def test_log_axes_have_plain_numbers():
    ax = Figure().subplots()
    ax.set(xlim=(0.03, 30), ylim=(0.03, 30))
    plain_log(ax.xaxis)
    plain_log(ax.yaxis, [0.05, 0.75])
    assert ax.get_xscale() == ax.get_yscale() == "log"
    labels = [ax.xaxis.get_major_formatter()(tick) for tick in ax.xaxis.get_majorticklocs()]
    assert labels == ["0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20"]
    assert list(ax.yaxis.get_majorticklocs()) == [0.05, 0.75] and not len(ax.yaxis.get_minorticklocs())


def test_numbers_along_an_axis():
    assert round_numbers(0.1, 3) == pytest.approx([0.1, 0.2, 0.5, 1, 2])
    assert round_numbers(0.25, 0.6) == pytest.approx([0.3, 0.4, 0.5])
    assert round_numbers(2e-9, 3, most=6) == pytest.approx([1e-8, 1e-6, 1e-4, 1e-2, 1])
    assert round_numbers(0.05, 18, most=6) == pytest.approx([0.1, 0.3, 1, 3, 10])
    assert [plain(value) for value in (0.02, 5000, 2e4, 1.5e6, 3e9)] == ["0.02", "5000", "20k", "1.5M", "3G"]
    assert apart([0, 1, 5, 9, 10], 4) == [0, 5, 9]


@pytest.mark.parametrize("ratio", [1.05, 1.5, 2, 4, 9, 30, 2e3, 1e8])
def test_a_log_axis_tells_its_scale_and_is_no_crowd(ratio):
    for low, most in itertools.product(np.geomspace(1e-3, 1e5, 23), (2, 4, 9)):
        ticks = round_numbers(low, ratio * low, most)
        assert 2 <= len(ticks) <= max(most, 5) and low <= min(ticks) and max(ticks) <= ratio * low


def test_methods_at_one_place_stand_side_by_side():
    places = side_by_side([0.1, 1, 10], 5, log=True)
    assert places.shape == (5, 3) and places[2] == pytest.approx([0.1, 1, 10])
    assert places[1] / places[0] == pytest.approx(np.full(3, 10**0.06))  # five in 0.3 of the distance
    assert (places[-1, :-1] < places[0, 1:]).all() and np.array_equal(side_by_side([3], 2), [[3], [3]])


def test_a_figure_is_an_svg_and_a_png_of_the_same(tmp_path):
    with style.figure(tmp_path / "a.svg", 2, 1) as drawing:
        drawing.text(0.5, 0.5, "words")
    assert texts(tmp_path / "a.svg") == {"words"}
    assert imread(tmp_path / "a.png").shape[:2] == (style.PNG_DPI, 2 * style.PNG_DPI)


def test_a_legend_fits_into_its_figure():
    names = ["flat_field_richardson_lucy"] * 7
    with plt.rc_context(style.STYLE):
        drawing = Figure(figsize=(style.WIDTH, 3), layout="constrained")
        style.legend_above(drawing, drawing.subplots().plot(np.zeros((2, 7))), names)
        (legend,) = drawing.legends
        assert legend.get_window_extent().width <= drawing.bbox.width
        assert legend._ncols == style.legend_columns(names) > 1
    assert style.legend_columns(["a", "b"]) == 2 and style.legend_columns([]) == 1


def test_answers_are_those_of_the_first_seed_in_the_order_of_the_kinds():
    kinds = {"bound": "limit", "cve": "classical", "net": "learned", "ridge": "learned"}
    files = [MethodFile("d", name, seed, f"{name}{seed}") for name, seed in [("bound", 0), ("ridge", 2), ("ridge", 1)]]
    given = Material(resamples=1, seed=1, kinds=kinds, predictions=[*files, MethodFile("d", "net", 10, "net10")])
    assert list(given.answers().items()) == [("net", "net10"), ("ridge", "ridge1"), ("bound", "bound0")]


def test_panels_that_hold_nothing_are_removed():
    drawing = Figure()
    axes = keep_first(drawing.subplots(2, 3, sharex=True, squeeze=False), 4)
    assert list(axes) == drawing.axes
    assert [ax.xaxis.get_tick_params()["labelbottom"] for ax in axes] == [False, True, True, True]


@pytest.mark.parametrize(("width", "length"), [(0.2, 0.1), (4, 0.5), (4.1, 1), (100, 20)])
def test_scale_bar_has_a_round_length_below_a_quarter(width, length):
    ax = Figure().subplots()
    scale_bar(ax, width)
    (bar,) = ax.artists
    assert bar.txt_label.get_text() == f"{length} µm"


# Error against cost


def test_a_front_holds_whom_nobody_beats_at_the_same_cost():
    cost = pd.Series({"cheap": 1.0, "dear": 9.0, "beaten": 5.0, "tied": 3.0, "best_at_3": 3.0, "as_good": 10.0})
    error = pd.Series({"cheap": 0.5, "dear": 0.1, "beaten": 0.4, "tied": 0.3, "best_at_3": 0.2, "as_good": 0.1})
    assert pareto.front(cost, error) == ["cheap", "best_at_3", "dear"]


def test_error_against_cost_has_its_points_and_front(tmp_path):
    """Of a method without a training none in the second panel; limits are lines, controls are not shown."""
    methods = {  # kind, RMS of ln D, seconds an item
        "net": ("learned", 0.2, 2.0),
        "fit": ("classical", 0.3, 1.0),
        "slow": ("classical", 0.4, 3.0),
        "best": ("limit", 0.1, 9.0),
        "prior": ("control", 0.9, 0.1),
    }
    frames = []
    for name, (kind, rms, seconds) in methods.items():
        errors = np.tile([-rms, rms], 10)
        for metric, value in (("error_ln_d", errors), ("seconds", np.full(20, seconds))):
            frame = pd.DataFrame({"item": range(20), "D": 1.0, "metric": metric, "value": value, "worst": np.nan})
            frames.append(frame.assign(dataset="report", method=name, kind=kind, seed=0, status="ok"))
    tables = [pd.concat(frames[i : i + 2]) for i in range(0, len(frames), 2)]
    pd.DataFrame({"items": [5, 50], "core_s": [10.0, 60.0]}).to_csv(tmp_path / "net.csv", index=False)
    curve = MethodFile("report", "net", 0, tmp_path / "net.csv")
    metric, number = numbers(problems.find("diffusion", "score.METRICS"))[0]
    given = Material(resamples=100, seed=1, dataset="report", scores=tables, curves=[curve])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(style, "save", lambda drawing, path: drawn.append(drawing))
        drawn = []
        pareto.draw(tmp_path / "pareto.svg", given, ("D",), metric, number)
    answers, trainings = (
        {bars.get_label(): bars[0].get_xydata()[0].round(9).tolist() for bars in ax.containers} for ax in drawn[0].axes
    )
    assert answers == {"net": [2, 0.2], "fit": [1, 0.3], "slow": [3, 0.4]} and trainings == {"net": [60, 0.2]}
    lines = {line.get_label(): line for line in drawn[0].axes[0].lines}
    assert lines["best"].get_ydata()[0] == pytest.approx(0.1) and "prior" not in lines
    assert lines["Pareto front"].get_xydata() == pytest.approx(np.array([[1, 0.3], [2, 0.2]]))


# Gallery


def test_items_in_common_follow_from_the_conditions_alone():
    """The first of the lowest D, the middle one, the last of the highest, whatever the order of the items."""
    D = pd.DataFrame({"D": [5.0, 0.1, 1.0, 1.0, 0.1, 5.0, 1.0]})
    scores = Scores("report", pd.DataFrame(), D, np.arange(7), {}, {}, np.empty((0, 1, 7)))
    assert gallery.in_common(scores) == [1, 3, 5]
    assert gallery.in_common(scores.take(np.arange(7) < 2)) == [1, 0]


@pytest.mark.parametrize(("direction", "expected"), [("max", [2, 0, 3]), ("min", [3, 4, 2]), ("target", [4, 0, 2])])
def test_items_of_a_method_are_its_best_median_and_worst(direction, expected):
    """An item without a value is none of them; of four the better middle one is the median."""
    metric = Metric("error", direction, (-np.inf, np.inf), np.nan, target=0.0)
    assert gallery.own(metric, np.array([0.2, np.nan, 0.9, -0.3, 0.1])) == expected


def test_a_gallery_shows_the_best_of_each_kind_that_answered():
    kinds = ["classical"] * 5 + ["learned"] * 6 + ["limit", "control"]
    error = pd.DataFrame({"value": np.arange(13.0)[::-1], "kind": kinds}, index=list("abcdefghijklm"))
    error.loc["k", "value"] = np.nan  # never gives the quantity
    shown = gallery.best_of_kinds(error, set("abcdefghijklm") - {"j"})
    assert shown == ["i", "h", "g", "f", "e", "d", "c", "l", "m"]
