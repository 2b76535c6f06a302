"""A finished run as an RO-Crate: whole, of the right commit, and valid by the reference validator."""

import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from configurations import ROOT

from blurbench.export import crate, finished
from blurbench.running import machine
from blurbench.tables import provenance

pytest.importorskip("rocrate", reason="rocrate is not installed: pip install .[crate]")


@pytest.fixture
def results(tmp_path):
    """A run of a table, a figure and a score, which have ended well."""
    folder = tmp_path / "results/tiny"
    for name in ("tables", "figures/diffusion", "scores/diffusion/report/cve", "validation/diffusion", "logs"):
        (folder / name).mkdir(parents=True)
    about = provenance.about("tiny", 4, "run: tiny\n", "summary.yaml")
    texts = {
        "tables/diffusion.csv": "a\n1\n",
        "tables/summary.md": "# Summary\n",
        "tables/summary.yaml": "run: tiny\n",
        "tables/summary.json": json.dumps(about),
        "figures/diffusion/cues.svg": "<svg></svg>",
        "logs/complete.log": "",
        "machine.json": "{}",
        "complete.json": "{}",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    pd.DataFrame({"a": [1]}).to_parquet(folder / "scores/diffusion/report/cve/0.parquet")
    return folder


def entities(path):
    with zipfile.ZipFile(path) as archive:
        return {one["@id"]: one for one in json.loads(archive.read("ro-crate-metadata.json"))["@graph"]}


def test_it_holds_the_workflow_and_what_the_run_made(results, tmp_path):
    crate.write(results, tmp_path / "crate.zip")
    with zipfile.ZipFile(tmp_path / "crate.zip") as archive:
        names = set(archive.namelist())
        assert archive.read("results/tiny/tables/diffusion.csv") == b"a\n1\n"
        assert archive.read("Snakefile") == (ROOT / "Snakefile").read_bytes()
    assert {"src/blurbench/files/atomic.py", "rules/train.smk", "requirements.lock"} <= names
    assert not any("__pycache__" in name or "logs/" in name for name in names)
    found = entities(tmp_path / "crate.zip")
    action = found["#run-tiny"]
    assert action["instrument"] == {"@id": "Snakefile"} and action["object"]["@id"].endswith("summary.yaml")
    made = {one["@id"].removeprefix("results/tiny/") for one in action["result"]}
    assert {"tables/diffusion.csv", "figures/diffusion/cues.svg", "scores/diffusion/report/cve/0.parquet"} <= made
    assert "tables/summary.yaml" not in made
    assert found["Snakefile"].get("version") == machine.commit()


def test_a_run_of_another_commit_or_without_an_end_is_refused(results, tmp_path):
    about = json.loads((results / finished.ORIGIN).read_text())
    (results / finished.ORIGIN).write_text(json.dumps({**about, "commit": "0" * 40}))
    with pytest.raises(crate.CrateError, match="summary.json: commit: found 0{40}, expected"):
        crate.write(results, tmp_path / "crate.zip")
    (results / finished.COMPLETE).unlink()
    with pytest.raises(finished.UnfinishedError, match="complete.json: found nothing"):
        crate.write(results, tmp_path / "crate.zip")
    assert not (tmp_path / "crate.zip").exists()


class Served:
    """The answer of a web server."""

    status_code, ok, headers, from_cache = 200, True, {"Content-Type": "application/ld+json"}, True

    def __init__(self, content):
        self.content, self.text = content, json.dumps(content)

    def json(self):
        return self.content


@pytest.fixture
def validate(monkeypatch, tmp_path):
    """Faults that the reference validator finds, without a network."""
    services = pytest.importorskip("rocrate_validator.services", reason="roc-validator is not installed")
    import rocrate
    from rocrate_validator.models import ValidationSettings
    from rocrate_validator.utils.http import HttpRequester

    # The package brings the context of 1.3, which differs from that of 1.1 in the addresses of Bioschemas' terms.
    text = (Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text(encoding="utf-8")
    context = json.loads(text.replace("https://bioschemas.org/terms/", "https://bioschemas.org/"))

    def get(self, address, **_):
        assert address == "https://w3id.org/ro/crate/1.1/context"
        return Served(context)

    monkeypatch.setattr(HttpRequester, "get", get, raising=False)

    def faults(path):
        settings = ValidationSettings(
            rocrate_uri=str(path), profile_identifier="workflow-run-crate", offline=True, cache_path=tmp_path / "cache"
        )
        return [f"{one.check.identifier}: {one.message}" for one in services.validate(settings).get_issues()]

    return faults


def test_it_is_valid_by_the_reference_validator(results, tmp_path, validate):
    crate.write(results, tmp_path / "crate.zip")
    assert validate(tmp_path / "crate.zip") == []
    # And the validator would tell: of a crate whose run names no workflow.
    folder = tmp_path / "crate"
    shutil.unpack_archive(tmp_path / "crate.zip", folder)
    metadata = json.loads((folder / "ro-crate-metadata.json").read_text())
    for entity in metadata["@graph"]:
        entity.pop("instrument", None)
    (folder / "ro-crate-metadata.json").write_text(json.dumps(metadata))
    assert any("instrument" in fault for fault in validate(folder))
