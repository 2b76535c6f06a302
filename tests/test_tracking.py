"""What MLflow and TensorBoard are given of a finished run is what its tables and curves say; no run needs either."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from configurations import ROOT

from blurbench.export import finished, tracking
from blurbench.tables import provenance
from blurbench.tables.published import COLUMNS

OPTIONAL = "mlflow", "tensorboard", "rocrate", "rocrate_validator"


def test_nothing_of_a_run_imports_what_is_optional():
    export = ROOT / "src/blurbench/export"
    files = [*(ROOT / "scripts").glob("*.py"), *(ROOT / "rules").rglob("*.smk"), *(ROOT / "src").rglob("*.py")]
    pattern = re.compile(rf"^\s*(from|import)\b.*\b({'|'.join(OPTIONAL)}|blurbench\.export)\b", re.MULTILINE)
    importing = {file for file in files if pattern.search(file.read_text(encoding="utf-8"))}
    assert export / "crate.py" in importing  # so the pattern finds what it is to find
    assert {file for file in importing if file.parent != export} == {ROOT / "src/blurbench/__main__.py"}


def row(method, metric, condition, mean, low=np.nan, high=np.nan):
    values = {"problem": "diffusion", "dataset": "report", "condition": condition, "method": method, "metric": metric}
    return values | {"kind": "learned", "mean": mean, "ci_low": low, "ci_high": high}


@pytest.fixture
def results(tmp_path):
    """A run of two methods, of which one is trained with two seeds."""
    folder = tmp_path / "results/tiny"
    for name in ("tables", "figures/diffusion", "models/diffusion/report/ours"):
        (folder / name).mkdir(parents=True)
    rows = [
        row("ours", "rmse_ln_d", "all", 0.1 + 0.2, 0.25, 1 / 3),  # not a number of few digits
        row("ours", "rmse_ln_d", "D=0.2, word=egg", 1e-300),
        row("cve", "rmse_ln_d", "all", np.nan),
        row("cve", "bias_ln_d", "all", -1.5),
    ]
    pd.DataFrame(rows).reindex(columns=COLUMNS).to_csv(folder / "tables/diffusion.csv", index=False)
    about = provenance.about("tiny", 4, "run: tiny\n", "summary.yaml")
    (folder / "tables/summary.json").write_text(json.dumps(about))
    methods = [
        ("diffusion", "ours", "learned", "ours", '{"width": 64}', '{"epochs": 2}', "{}", "", "tiny", 4, ""),
        ("diffusion", "cve", "classical", "cve", "{}", "{}", "{}", "", "tiny", 4, ""),
    ]
    columns = "problem method kind file options budget sweep code run seed commit".split()
    pd.DataFrame(methods, columns=columns).to_csv(folder / "tables/methods.csv", index=False)
    for seed in (1, 2):
        curve = pd.DataFrame({"items": [64, 128], "train_loss": [0.5, 0.25 / seed], "validation_loss": [np.nan, 0.125]})
        curve.to_csv(folder / f"models/diffusion/report/ours/{seed}.csv", index=False)
    (folder / "figures/diffusion/cues.svg").write_text("<svg></svg>")
    (folder / "complete.json").write_text("{}")
    return folder


def test_mlflow_reads_back_what_the_tables_say(results):
    pytest.importorskip("mlflow", reason="mlflow-skinny is not installed: pip install .[track]")
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: pip install .[track]")
    (results / "tracking").mkdir()
    (results / "tracking/mlflow.db").write_text("of another time")
    folder = tracking.write(results)
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("tiny")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"diffusion/report/ours", "diffusion/report/cve", "diffusion"}
    table = pd.read_csv(results / "tables/diffusion.csv")
    for method, rows in table.groupby("method"):
        expected = {
            tracking.metric(one, number): getattr(one, number)
            for one in rows.itertuples()
            for number in ("mean", "ci_low", "ci_high")
            if np.isfinite(getattr(one, number))
        }
        found = runs[f"diffusion/report/{method}"].data.metrics
        assert {name: value for name, value in found.items() if not name.startswith("training/")} == expected
    ours = runs["diffusion/report/ours"]
    assert {"rmse_ln_d", "rmse_ln_d/ci_high", "rmse_ln_d/D:0.2/word:egg"} <= set(ours.data.metrics)
    assert ours.data.params == {"seed": "4", "file": "ours", "options.width": "64", "budget.epochs": "2"}
    curve = client.get_metric_history(ours.info.run_id, "training/2/train_loss")
    assert [(one.step, one.value) for one in curve] == [(64, 0.5), (128, 0.125)]
    whole = runs["diffusion"].info.run_id
    assert [one.path for one in client.list_artifacts(whole, "figures")] == ["figures/cues.svg"]
    assert [one.path for one in client.list_artifacts(whole, "tables")] == ["tables/diffusion.csv"]


def test_tensorboard_reads_back_the_curves(results):
    pytest.importorskip("mlflow", reason="mlflow-skinny is not installed: pip install .[track]")
    events = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed"
    )
    folder = tracking.write(results) / "tensorboard/diffusion/report/ours"
    assert {path.name for path in folder.iterdir()} == {"1", "2"}
    found = events.EventAccumulator(str(folder / "2")).Reload()
    assert [(one.step, one.value) for one in found.Scalars("train_loss")] == [(64, 0.5), (128, 0.125)]
    assert [(one.step, one.value) for one in found.Scalars("validation_loss")] == [(128, 0.125)]


def test_a_run_without_an_end_is_refused(results):
    (results / finished.COMPLETE).unlink()
    with pytest.raises(finished.UnfinishedError, match="complete.json: found nothing, expected a run that has ended"):
        tracking.write(results)
    assert not (results / tracking.FOLDER).exists()
