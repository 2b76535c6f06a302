"""What is made anew once code changes: what a statement of a module says, and of those that it imports."""

import pytest

from blurbench.planning import sources

METHOD = (
    '"""Doc."""\n\nimport my_helper\nfrom blurbench.files import datasets\n\n\ndef answer():\n    return 1  # one\n'
)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of two modules, and one of the user's beside its scripts: {name: file}."""
    files = {
        "method": tmp_path / "src/blurbench/diffusion/methods/mine.py",
        "datasets": tmp_path / "src/blurbench/files/datasets.py",
        "helper": tmp_path / "scripts/my_helper.py",
    }
    for name, text in (("method", METHOD), ("datasets", "SIZE = 1\n"), ("helper", "FACTOR = 1\n")):
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(text, encoding="utf-8")
    files["datasets"].with_name("__init__.py").touch()
    monkeypatch.setattr(sources, "LIBRARY", tmp_path / "src/blurbench")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return files


def state():
    for function in (sources.state, sources._imports, sources._exists):
        function.cache_clear()
    return sources.state("blurbench.diffusion.methods.mine")


@pytest.fixture(autouse=True)
def no_memory():
    """Nothing that was found here is remembered by the tests that follow."""
    yield
    for function in (sources.state, sources._imports, sources._exists):
        function.cache_clear()


@pytest.mark.parametrize(
    ("name", "edit", "changes"),
    [
        ("method", ("return 1", "return 2"), True),
        ("method", ("# one", "# the first one"), False),
        ("method", ("Doc.", "Words."), False),
        ("method", ("\n\n\n", "\n\n"), False),
        ("datasets", ("1", "2"), True),
        ("helper", ("1", "2"), True),
    ],
)
def test_a_statement_makes_anew_and_words_do_not(library, name, edit, changes):
    before, text = state(), library[name].read_text(encoding="utf-8")
    assert edit[0] in text and before.startswith(before.split()[0] + " of 3 modules")
    library[name].write_text(text.replace(*edit), encoding="utf-8")
    assert (state() != before) == changes


def test_packages_of_others_are_no_modules_beside_the_library(library, tmp_path, monkeypatch):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    library["helper"].rename(packages / "my_helper.py")
    monkeypatch.setenv("PYTHONPATH", str(packages))
    assert " of 2 modules" in state()
    assert sources.packages("blurbench.diffusion.methods.mine") == ["my_helper"]
