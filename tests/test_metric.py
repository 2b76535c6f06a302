"""Every problem's metrics are declared in full, and a value that cannot be is told."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blurbench import problems
from blurbench.files.answers import OK
from blurbench.scoring.metric import Metric, Published, numbers
from blurbench.scoring.score_table import score_table
from blurbench.scoring.statistics import QUANTILES, REDUCTIONS

EVERY = [(name, metric) for name in problems.names() for metric in problems.find(name, "score.METRICS")]
SPEC = {"D_um2_s": [0.1, 10], "test_D_um2_s": [1]}  # what any problem's worst values ask for


@pytest.mark.parametrize(("problem", "metric"), EVERY, ids=lambda value: getattr(value, "name", value))
def test_a_metric_is_declared_in_full(problem, metric):
    low, high = metric.range
    assert low < high
    assert metric.direction in {"min", "max", "target"}
    assert np.isfinite(metric.target) == (metric.direction == "target")
    worst = metric.worst_of(SPEC)
    assert np.isnan(worst) or low <= worst <= high
    for number in metric.published:
        assert isinstance(number, Published)
        assert number.reduce in {*REDUCTIONS, *QUANTILES}
        assert number.table in {"", *problems.load(problem).tables}


@pytest.mark.parametrize("problem", problems.names())
def test_names_are_used_once(problem):
    metrics = problems.find(problem, "score.METRICS")
    names = [metric.name for metric in metrics]
    assert {"success", "seconds"} <= set(names) and len(names) == len(set(names))
    published = [number.name for metric in metrics for number in metric.published]
    assert {"success_rate", "seconds"} <= set(published) and len(published) == len(set(published))


@pytest.mark.parametrize("problem", problems.names())
def test_every_extra_table_has_its_file(problem):
    folder = Path(problems.LIBRARY, problem, "tables")
    assert {path.stem for path in folder.glob("[a-z]*.py")} == set(problems.load(problem).tables)
    for name in problems.load(problem).tables:
        title, caption = (problems.find(problem, f"tables.{name}.{part}") for part in ("TITLE", "CAPTION"))
        assert title and caption
        assert all(callable(problems.find(problem, f"tables.{name}.{part}")) for part in ("table", "blocks", "summary"))


COVERED = Metric(
    "covered", "target", (0, 1), 0.0, (Published("coverage", "mean"), Published("scatter", "sd")), target=0.68
)


def test_a_mean_has_the_direction_of_its_values_and_a_spread_is_good_if_small():
    (_, coverage), (_, scatter) = numbers([COVERED])
    assert (COVERED.direction_of(coverage), COVERED.direction_of(scatter)) == ("target", "min")
    assert COVERED.badness(coverage, [0.58, 0.78]) == pytest.approx([0.1, 0.1])
    assert COVERED.badness(scatter, [0.58, 0.78]) == pytest.approx([0.58, 0.78])
    recall = Metric("recall", "max", (0, 1), 0.0, (Published("recall", "mean"),))
    assert recall.badness(recall.published[0], [0.2]) == pytest.approx([-0.2])


def test_the_worst_value_may_depend_on_the_dataset():
    span = Metric("error", "target", (-np.inf, np.inf), lambda spec: spec["high"] - spec["low"], target=0)
    assert span.worst_of({"low": 1, "high": 5}) == 4 and COVERED.worst_of({}) == 0


def scored(*values, status=OK):
    items = pd.DataFrame({"D": np.ones(len(values))})
    return score_table(items, [COVERED], {"covered": np.array(values)}, np.full(len(values), status, object), {})


def test_a_value_out_of_its_range_is_an_error():
    with pytest.raises(ValueError, match="metric covered: found 1.5, expected a number from 0 to 1"):
        scored(0.5, 1.5)
    with pytest.raises(ValueError, match="metric covered: found -1, expected"):
        scored(-1)
    assert scored(0, 1, 1 + 1e-12, np.nan)["value"].notna().sum() == 3
    assert scored(7, status="out of memory")["value"].isna().all()  # what a failed item holds is nobody's answer
