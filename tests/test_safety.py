"""Nothing that the library opens is run: what unpickles, evaluates or loads code is not in it."""

import ast
from pathlib import Path

import pytest

import blurbench

SOURCES = sorted([*Path(blurbench.__file__).parents[1].rglob("*.py")])
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
NO_FILE = {"joblib": {"Parallel", "delayed"}}  # what of these opens none
CODE = {"eval", "exec", "compile"}


def calls(tree):
    """(dotted name, keywords) of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_file_is_unpickled_or_run(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {
        node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and not {name.name for name in node.names} <= NO_FILE.get(node.module, set())
    }
    assert not {name.split(".")[0] for name in imported} & PICKLES
    for name, keywords in calls(tree):
        assert name not in CODE and not name.endswith("read_pickle"), name
        assert keywords.get("allow_pickle", "False") == "False", name
        if name == "torch.load":
            assert keywords.get("weights_only") == "True"
        if name.startswith("yaml."):
            nodes = name == "yaml.compose" and keywords.get("Loader") == "yaml.SafeLoader"  # which makes no objects
            assert nodes or name in ("yaml.safe_load", "yaml.safe_dump"), name
