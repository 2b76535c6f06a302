"""The methods of one problem, expanded: which file, which options, which budget and whose weights."""

from typing import Any

from blurbench.planning import catalogue
from blurbench.planning.entry_base import Entries, Entry
from blurbench.planning.faults import Fault, unknown
from blurbench.planning.schema_faults import WORDS, is_number

KINDS_OF_VALUE = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    tuple: "array",
    dict: "object",
}


class MethodEntries(Entries):
    """Methods of a problem; `budget` is what an entry that states none is trained with."""

    def __init__(self, problem: str, stated: dict[str, Entry], budget: Entry, faults: list[Fault]) -> None:
        super().__init__(problem, f"problems.{problem}.methods", stated, faults)
        self.budget = budget

    def expand(self, name: str, chain: tuple[str, ...] = ()) -> Entry:
        """One method with what it takes from the entry that it is like, or whose weights it uses, and from its file."""
        entry, where = self.stated[name], f"{self.where}.{name}"
        self.pass_over_if_broken(where)
        if "like" in entry and "model" in entry:
            self.refuse(where, "like and model", "one of the two")
        if entry.get("external"):
            return self._external(where, entry)
        if "kind" in entry:
            expected = "external: true beside it; a method file states its kind"
            self.refuse(f"{where}.kind", repr(entry["kind"]), expected)
        base: Entry = {"method": name, "options": {}, "budget": self.budget}
        if link := next((key for key in ("like", "model") if key in entry), None):
            base = self.expand(self.parent(name, link, chain), (*chain, name))
        if link == "model":
            self._check_weights(where, entry, base)
        file = entry["method"] if "method" in entry else base["method"]
        described = self._described(f"{where}.method", file)
        self._check_options(f"{where}.options", entry.get("options", {}), described.options)
        return {
            "method": file,
            "kind": described.kind,
            "options": {**described.options, **base["options"], **entry.get("options", {})},
            "budget": {**base["budget"], **entry.get("budget", {})} if described.trains else {},
            "trains": described.trains and link != "model",
            "model": entry.get("model") if link == "model" else name if described.trains else None,
            "external": False,
            "bound": described.bound,
        }

    def _external(self, where: str, entry: Entry) -> Entry:
        """Expanded entry of a method whose predictions a rule of the user's writes."""
        if extra := sorted(set(entry) - {"external", "kind"}):
            self.refuse(f"{where}.{extra[0]}", repr(entry[extra[0]]), "only kind beside external: true")
        nothing: Entry = {"method": None, "options": {}, "budget": {}, "trains": False, "model": None, "bound": False}
        return {**nothing, "kind": entry.get("kind", "classical"), "external": True}

    def _check_weights(self, where: str, entry: Entry, base: Entry) -> None:
        """Judge an entry that uses the weights of another one."""
        for key in ("method", "budget"):
            if key in entry:
                self.refuse(f"{where}.{key}", repr(entry[key]), f"that of {entry['model']}, whose weights it uses")
        if not base["trains"]:
            self.refuse(f"{where}.model", repr(entry["model"]), "a method that is trained")

    def _described(self, where: str, file: str) -> catalogue.Description:
        """What a method file states."""
        known = catalogue.files(self.problem)
        if file not in known:
            self.refuse(*unknown(where, file, known, f"a file in src/blurbench/{self.problem}/methods/"))
        try:
            return catalogue.describe(self.problem, file)
        except catalogue.MethodError as error:
            self.refuse(where, repr(file), f"a method file that keeps the contract ({error})")

    def _check_options(self, where: str, options: Entry, defaults: Entry) -> None:
        for key, value in options.items():
            if key not in defaults:
                self.add(*unknown(f"{where}.{key}", key, defaults, "an option of the method"))
            elif not _same_type(value, defaults[key]):
                kind = WORDS[KINDS_OF_VALUE[type(defaults[key])]]
                self.add(f"{where}.{key}", repr(value), f"{kind} like {defaults[key]!r}, the default")


def _same_type(value: Any, default: Any) -> bool:
    if default is None:
        return True
    if is_number(default):
        return is_number(value) and (isinstance(default, float) or isinstance(value, int))
    return isinstance(value, (list, tuple)) if isinstance(default, (list, tuple)) else isinstance(value, type(default))
