"""What a method file states is read without running it, and one that does not keep the contract is told by its name."""

import re
from itertools import count

import pytest
from configurations import layers

import blurbench.diffusion.methods
from blurbench.planning import catalogue
from blurbench.planning.catalogue import Description, MethodError, describe
from blurbench.planning.configuration import expand
from blurbench.planning.faults import ConfigurationError
from blurbench.running import methods

RIGHT = """
class Right:
    kind = "classical"
    trains = True
    options = {"width": 2}

    def fit(self, splits, budget, device, seed):
        pass
"""
NUMBERS = count()  # what is read of a file is kept by its name


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Put a method file of the diffusion problem in its place; its name is returned, a new one each time."""
    monkeypatch.setattr(catalogue, "source", lambda problem, method: tmp_path / f"{method}.py")
    monkeypatch.setattr(catalogue, "files", lambda problem: sorted(path.stem for path in tmp_path.glob("*.py")))
    monkeypatch.setattr(blurbench.diffusion.methods, "__path__", [str(tmp_path)])

    def put(text):
        name = f"method_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return put


def refusal(act, *arguments):
    with pytest.raises(MethodError) as error:
        act(*arguments)
    return str(error.value)


def test_a_file_is_described(put):
    assert describe("diffusion", put(RIGHT)) == Description("Right", "classical", True, {"width": 2})


def test_a_bound_says_so(put):
    text = 'class Bound:\n    kind = "limit"\n    trains = False\n    bound = True\n'
    assert describe("diffusion", put(text)) == Description("Bound", "limit", False, {}, bound=True)


def test_options_may_be_left_out_and_attributes_may_have_types(put):
    text = 'class Plain:\n    kind: str = "limit"\n    trains: bool = False\n    sd: float\n'
    assert describe("diffusion", put(text)) == Description("Plain", "limit", False, {})


def test_another_class_of_the_file_is_not_the_method(put):
    helpers = "class Before:\n    kind: str\n\n\nclass Between(Before):\n    def kind(self):\n        pass\n\n"
    name = put(helpers + RIGHT + "\n\nclass After(Right):\n    width = 3\n")
    assert describe("diffusion", name).class_name == "Right"
    assert type(methods.load("diffusion", name)).__name__ == "Right"


WRONG = [
    # what the file holds, what is told
    ("", r"found 0 classes with a `kind` in their bodies, \[\] of \[\], expected one"),
    ("class Mute:\n    pass\n", r"found 0 classes .* of \['Mute'\]"),
    ("from blurbench.diffusion.methods.cve import Cve\n", "found 0 classes"),
    (RIGHT + RIGHT.replace("Right", "Wrong"), r"found 2 classes .* \['Right', 'Wrong'\]"),
    (RIGHT.replace("trains = True", "pass"), "trains: found nothing, expected True where the class has a `fit`"),
    (RIGHT.replace("True", "'yes'"), "trains: found 'yes', expected True"),
    (RIGHT.replace("True", "1"), "trains: found 1, expected True"),
    (RIGHT.replace("classical", "clasical"), r"kind: found 'clasical', expected one of \('learned', "),
    (RIGHT.replace('"classical"', "KIND"), "kind: found KIND, expected one of .* written out"),
    (RIGHT.replace("{", "dict").replace("}", ""), "found no Python"),
    (RIGHT.replace('{"width": 2}', "dict(width=2)"), r"options: found dict\(width=2\), expected a dict .* written out"),
    (RIGHT.replace('{"width": 2}', "[1]"), r"options: found \[1\], expected a dict"),
    (
        RIGHT.replace("trains = True", "trains = True\n    bound = True"),
        "bound: found True, expected False for the",
    ),
    (RIGHT.replace("classical", "learned").replace("True", "False"), "trains: found False, expected True for the kind"),
    (
        RIGHT.replace("trains = True", "trains = True\n    allowed = {'widht': {}}"),
        r"allowed: found 'widht', expected one of the options, \['width'\]",
    ),
]


@pytest.mark.parametrize("text, told", WRONG, ids=[told[:40] for _, told in WRONG])
def test_a_file_that_breaks_the_contract_is_told(put, text, told):
    name = put(text)
    message = refusal(describe, "diffusion", name)
    assert message.split(": ")[0].endswith(f"{name}.py")
    assert re.search(told, message), message


def test_no_file(put):
    name = put(RIGHT)
    message = refusal(describe, "diffusion", "missing")
    assert "no file missing.py" in message and name in message


BASE = "class Base:\n    def fit(self):\n        pass\n\n\n"
INHERITED = BASE + RIGHT.split("    def fit")[0].replace("Right", "Right(Base)")


def test_a_fit_that_is_inherited_counts(put):
    assert methods.load("diffusion", put(INHERITED), {"width": 3}).width == 3


@pytest.mark.parametrize(
    "text, told",
    [
        (INHERITED.replace("True", "False"), "trains: found False and a `fit` in Right or what it inherits from"),
        (RIGHT.replace("def fit", "def fitt"), "trains: found True and no `fit` in Right"),
    ],
)
def test_a_class_that_does_not_do_what_it_states_is_told(put, text, told):
    name = put(text)
    message = refusal(methods.load, "diffusion", name)
    assert f"{name}.py: {told}" in message


def test_a_configuration_that_names_a_broken_file_is_refused(put):
    name = put(RIGHT.replace("trains = True", "pass"))
    config = layers("config")
    config["problems"] = {"diffusion": {**config["problems"]["diffusion"], "methods": {name: {}}}}
    with pytest.raises(ConfigurationError) as error:
        expand(config)
    where = f"problems.diffusion.methods.{name}.method"
    assert f"{where}: found {name!r}, expected a method file that keeps" in str(error.value)
