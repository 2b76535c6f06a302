"""`python -m blurbench list` names what a configuration holds, or says what is wrong with it."""

import sys

import pytest
from configurations import ROOT, layers

from blurbench.__main__ import main
from blurbench.planning.configuration import expand


def run(monkeypatch, *layers):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["blurbench", "list", "--configfile", *map(str, layers)])
    main()


def test_every_dataset_and_method_is_listed(monkeypatch, capsys):
    run(monkeypatch, "config/laptop.yaml")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for name, problem in expand(layers("config", "laptop"))["problems"].items():
        assert ["#", name] in lines
        for entry in (*problem["datasets"], *problem["methods"]):
            assert any(line[1:2] == [entry] for line in lines), entry


def test_a_wrong_layer_is_told(monkeypatch, tmp_path):
    for text, message in (("seed: -1\n", "seed: found -1"), ("seed: 1\nseed: 2\n", "lines 1, 2"), ("a: [", "while")):
        (tmp_path / "wrong.yaml").write_text(text)
        with pytest.raises(SystemExit, match=message):
            run(monkeypatch, tmp_path / "wrong.yaml")
    with pytest.raises(SystemExit, match="No such file"):
        run(monkeypatch, tmp_path / "absent.yaml")
