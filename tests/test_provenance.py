"""Tables say where they come from: commit, configuration and versions."""

import json
import shlex
import shutil
import subprocess

import pandas as pd
import pytest
import yaml
from configurations import layers

from blurbench.export import reproduction
from blurbench.planning import given
from blurbench.planning.configuration import expand
from blurbench.planning.merging import merged
from blurbench.running import machine
from blurbench.tables import provenance

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ABOUT = {
    "run": "tiny",
    "seed": 4,
    "commit": COMMIT,
    "configuration": {"file": "diffusion.yaml", "sha256": "f" * 64},
    "python": "3.11.7",
    "packages": {"numpy": "2.4.6"},
}
LINE = "Run tiny, seed 4, commit 0123456789ab, configuration ffffffffffff (diffusion.yaml), Python 3.11.7, numpy 2.4.6."


def test_the_configuration_of_a_table_asks_for_the_same_again():
    config = merged(layers("config", "smoke"), {"recordings": {"one": {}}, "problems": {"fusion": None}})
    kept = yaml.safe_load(given.text(config, ["diffusion"]))
    assert {name: entry is None for name, entry in kept["problems"].items()} == {
        "diffusion": False,
        "colloids": True,
        "fusion": True,
        "segmentation": True,
    }
    again, first = expand(merged(layers("config"), kept)), expand(layers("config", "smoke"))
    assert again["recordings"] == {} and list(again["problems"]) == ["diffusion"]
    # As text: the order of datasets and methods is that of the tables.
    assert json.dumps(again["problems"]["diffusion"]) == json.dumps(first["problems"]["diffusion"])


def test_the_configuration_of_a_table_says_nothing_of_what_it_does_not_depend_on():
    config = layers("config", "smoke")
    text = given.text(config, ["diffusion"])
    other = merged(config, {"recordings": {"one": {}}, "problems": {"colloids": {"budget": {"epochs": 9}}}})
    assert given.text(other, ["diffusion"]) == text
    assert given.text(merged(config, {"seed": 9}), ["diffusion"]) != text


def test_a_head_says_it_in_one_line():
    markdown, html, tex = "# Title\n\nText.\n", "<body><h1>Title</h1><p>Text.</p></body>", "\\begin{table}"
    assert provenance.headed(markdown, ".md", ABOUT) == f"# Title\n\n{LINE}\n\nText.\n"
    assert provenance.headed(html, ".html", ABOUT) == f"<body><h1>Title</h1><p>{LINE}</p><p>Text.</p></body>"
    assert provenance.headed(tex, ".tex", ABOUT) == f"% {LINE}\n{tex}"
    table = pd.DataFrame({"a": [1]})
    assert provenance.headed(table, ".csv", ABOUT) is table
    edited, none = (provenance.line({**ABOUT, "commit": one}) for one in (COMMIT + "+", None))
    assert "commit 0123456789ab+," in edited and "commit unknown," in none


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_a_commit_tells_edits_of_what_computes(tmp_path):
    def git(*arguments):
        author = "-c", "user.name=a", "-c", "user.email=a@example.org"
        return subprocess.run(["git", *author, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert machine.commit(tmp_path) is None
    git("init")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("a = 1\n")
    git("add", "-A")
    git("commit", "-m", "first")
    head = git("rev-parse", "HEAD").stdout.strip()
    (tmp_path / "notes.md").write_text("of no effect")
    assert machine.commit(tmp_path) == head
    (tmp_path / "src/new_method.py").write_text("b = 1\n")  # git does not know it yet
    assert machine.commit(tmp_path) == f"{head}+"


def write_tables(folder, **changes):
    """The tables of a run, as far as the commands that make them again go by them."""
    (folder / "tables").mkdir(parents=True)
    for name in ("diffusion.csv", "diffusion_pairs.csv"):
        (folder / "tables" / name).write_text("a\n1\n")
    (folder / "tables/diffusion.sha256").write_text(f"{'0' * 64}  diffusion.csv\n{'0' * 64}  diffusion_pairs.csv\n")
    (folder / "tables/diffusion.json").write_text(json.dumps({**ABOUT, **changes}))
    return folder


def test_a_table_beside_the_main_one_is_made_again_with_it(tmp_path):
    lines = reproduction.commands(write_tables(tmp_path / "tiny"), "diffusion_pairs")
    assert lines[0] == f"git worktree add --detach ../blurbench-0123456789ab {COMMIT}"
    assert f"{tmp_path}/tiny/tables/diffusion.yaml" in lines[1]
    assert lines[-2].startswith("snakemake results/tiny/tables/diffusion_pairs.csv ")


def test_what_is_read_of_a_run_is_no_command(tmp_path):
    run = write_tables(tmp_path / "tiny", run="a; b", configuration={"file": "a; b.yaml"})
    words = [word for line in reproduction.commands(run, "diffusion") for word in shlex.split(line)]
    assert "results/a; b" in words and "b" not in words
    assert any(word.endswith("tables/a; b.yaml") for word in words)


def test_a_table_of_an_edited_tree_says_so(tmp_path):
    lines = reproduction.commands(write_tables(tmp_path / "tiny", commit=f"{COMMIT}+"), "diffusion")
    assert lines[0].startswith("# Made with edits") and lines[1].endswith(COMMIT)


def test_a_table_of_unknown_origin_is_refused(tmp_path):
    for i, commit in enumerate((None, "main", "0123; b")):
        run = write_tables(tmp_path / str(i), commit=commit)
        with pytest.raises(reproduction.ReproductionError, match="diffusion.json: commit: found .*, expected 40"):
            reproduction.commands(run, "diffusion")
    with pytest.raises(reproduction.ReproductionError, match="found no table 'other', expected one of diffusion, "):
        reproduction.commands(run, "other")
    (run / "tables/diffusion.sha256").unlink()
    with pytest.raises(reproduction.ReproductionError, match="diffusion.csv: found in no checksum file"):
        reproduction.commands(run, "diffusion")
