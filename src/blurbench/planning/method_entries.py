"""The methods of one problem, expanded: which file, which options, which budget and whose weights."""

from itertools import product

from blurbench import problems
from blurbench.planning import catalogue, schemas
from blurbench.planning.entry_base import Entries, Entry
from blurbench.planning.faults import Fault, unknown
from blurbench.planning.option_rules import option_faults
from blurbench.planning.schema_faults import schema_faults


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
        base: Entry = {"method": name, "options": {}, "budget": self.budget, "sweep": {}, "everywhere": True}
        if link := next((key for key in ("like", "model") if key in entry), None):
            base = self.expand(self.parent(name, link, chain), (*chain, name))
        if link == "model":
            self._check_weights(where, entry, base)
        elif "of" in entry:
            self.refuse(f"{where}.of", repr(entry["of"]), "model beside it: an entry that is trained on that dataset")
        file = entry["method"] if "method" in entry else base["method"]
        described = self._described(f"{where}.method", file)
        self._check_options(f"{where}.options", entry.get("options", {}), described)
        sweep = self._sweep(f"{where}.sweep", entry, base, described)
        options = {**described.options, **base["options"], **entry.get("options", {})}
        budget = {**base["budget"], **entry.get("budget", {})} if described.kind == "learned" else {}
        trains = described.trains and link != "model"
        return {
            "method": file,
            "kind": described.kind,
            "options": options,
            "budget": budget,
            "sweep": sweep,
            "trials": trials(options, budget, sweep) if trains else [],
            "trains": trains,
            "model": entry.get("model") if link == "model" else name if described.trains else None,
            "of": entry.get("of"),
            "everywhere": entry.get("everywhere", base["everywhere"]),
            "external": False,
            "bound": described.bound,
            "network": described.network,
        }

    def _external(self, where: str, entry: Entry) -> Entry:
        """Expanded entry of a method whose predictions a rule of the user's writes."""
        if extra := sorted(set(entry) - {"external", "kind"}):
            self.refuse(f"{where}.{extra[0]}", repr(entry[extra[0]]), "only kind beside external")
        if entry["external"] == "csv" and problems.load(self.problem).answer.suffix != ".parquet":
            self.refuse(f"{where}.external", "'csv'", f"true, as answers of {self.problem} are images and no table")
        nothing: Entry = {"method": None, "options": {}, "budget": {}, "sweep": {}, "trials": [], "trains": False}
        nothing |= {"model": None, "of": None, "everywhere": True, "bound": False, "network": False}
        return {**nothing, "kind": entry.get("kind", "classical"), "external": entry["external"]}

    def _check_weights(self, where: str, entry: Entry, base: Entry) -> None:
        """Judge an entry that uses the weights of another one."""
        for key in ("method", "budget", "sweep"):
            if key in entry:
                self.refuse(f"{where}.{key}", repr(entry[key]), f"that of {entry['model']}, whose weights it uses")
        if not base["trains"]:
            self.refuse(f"{where}.model", repr(entry["model"]), "a method that is trained")

    def _sweep(self, where: str, entry: Entry, base: Entry, described: catalogue.Description) -> Entry:
        """Values to try of each key; of the entry that this one is like, those of the keys that it does not state."""
        stated = {**entry.get("options", {}), **entry.get("budget", {})}
        if "sweep" not in entry:
            return {key: values for key, values in base["sweep"].items() if key not in stated}
        if described.kind != "learned":
            self.refuse(where, "a sweep", f"none, as {described.class_name} is {described.kind} and not learned")
        house = schemas.of_configuration()["$defs"]
        rules = house["budget"]["properties"]
        for key, values in entry["sweep"].items():
            if key not in described.options and key not in rules:
                known = [*described.options, *rules]
                self.add(*unknown(f"{where}.{key}", key, known, "an option of the method or a key of its budget"))
            for i, value in enumerate(values):
                if key in described.options:
                    self._check_option(f"{where}.{key}.{i}", key, value, described)
                elif key in rules:
                    for fault in schema_faults(value, {**rules[key], "$defs": house}, f"{where}.{key}.{i}"):
                        self.add(*fault)
        return entry["sweep"]

    def _described(self, where: str, file: str) -> catalogue.Description:
        """What a method file states."""
        known = catalogue.files(self.problem)
        if file not in known:
            self.refuse(*unknown(where, file, known, f"a file in src/blurbench/{self.problem}/methods/"))
        try:
            return catalogue.describe(self.problem, file)
        except catalogue.MethodError as error:
            self.refuse(where, repr(file), f"a method file that keeps the contract ({error})")

    def _check_options(self, where: str, options: Entry, described: catalogue.Description) -> None:
        for key, value in options.items():
            if key not in described.options:
                self.add(*unknown(f"{where}.{key}", key, described.options, "an option of the method"))
            else:
                self._check_option(f"{where}.{key}", key, value, described)

    def _check_option(self, where: str, key: str, value: object, described: catalogue.Description) -> None:
        for fault in option_faults(where, value, described.options[key], described.allowed.get(key, {})):
            self.add(*fault)


def trials(options: Entry, budget: Entry, sweep: Entry) -> list[Entry]:
    """Every combination of a sweep's values, the last key going fastest: one with no values where nothing is swept."""
    found = []
    for combination in product(*sweep.values()):
        values = dict(zip(sweep, combination, strict=True))
        tried = {key: value for key, value in values.items() if key in options}
        others = {key: value for key, value in values.items() if key not in options}
        found.append({"values": values, "options": {**options, **tried}, "budget": {**budget, **others}})
    return found
