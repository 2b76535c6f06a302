"""The datasets of one problem, expanded: what each is made from, which methods run on it, which splits it has."""

from contextlib import suppress

from blurbench.planning import mistakes, schemas
from blurbench.planning.entry_base import Entries, Entry, Refused
from blurbench.planning.faults import Fault, unknown
from blurbench.planning.merging import merged
from blurbench.planning.schema_faults import schema_faults


class DatasetEntries(Entries):
    """Datasets of a problem.

    Parameters
    ----------
    named_methods : every method that the configuration names
    methods : those that could be expanded, in the same order
    """

    def __init__(
        self,
        problem: str,
        stated: dict[str, Entry],
        named_methods: list[str],
        methods: dict[str, Entry],
        faults: list[Fault],
    ) -> None:
        super().__init__(problem, f"problems.{problem}.datasets", stated, faults)
        self.named_methods, self.methods = named_methods, methods

    def expanded(self) -> dict[str, Entry]:
        """Every entry expanded, as of any entries; the keys of all are judged first."""
        for name, entry in self.stated.items():
            self._check_keys(f"{self.where}.{name}", entry)
        found = super().expanded()
        for name, method in self.methods.items():
            if method["of"]:
                self._check_lender(name, method, found)
        return found

    def _check_keys(self, where: str, entry: Entry) -> None:
        """Judge an entry as it is written, so that a fault is told once and not again for every entry like it."""
        if not isinstance(entry, dict):
            self.add(where, repr(entry), "a mapping, or null for a dataset that is left out")
            return
        for fault in schema_faults(entry, schemas.of_dataset_entry(self.problem), where):
            self.add(*fault)

    def expand(self, name: str, chain: tuple[str, ...] = ()) -> Entry:
        """One dataset with what it takes from the one it is like, its methods, and whose models and stream it uses."""
        entry, where = self.stated[name], f"{self.where}.{name}"
        self.pass_over_if_broken(where)
        base = self.expand(self.parent(name, "like", chain), (*chain, name)) if "like" in entry else {}
        dataset = merged(base, entry)
        dataset["like"] = entry.get("like")
        for key in ("models", "stream"):
            dataset[key] = self._lender(name, key)
        if dataset["models"] != name and "training_seeds" in entry:
            expected = f"those of {dataset['models']}, whose models it uses"
            self.refuse(f"{where}.training_seeds", repr(entry["training_seeds"]), expected)
        dataset["training_seeds"] = self.stated[dataset["models"]].get("training_seeds")  # not those of what it is like
        if "methods" not in entry:
            dataset["methods"] = self._absent_methods(dataset)
        shared = {*schemas.dataset_keys(), "splits"}
        judged = {key: value for key, value in dataset.items() if key not in shared}
        for fault in schema_faults(judged, schemas.of_dataset(self.problem), where):
            self.add(*fault)
        self._check_mistakes(name, dataset)
        dataset["methods"] = self._methods(f"{where}.methods", dataset["methods"])
        self.pass_over_if_broken(where)
        trained = [name for name in dataset["methods"] if self.methods[name]["model"] and not self.methods[name]["of"]]
        lends = dataset["models"] == name
        if trained:
            with suppress(Refused):
                home = dataset if lends else self.expand(dataset["models"], (*chain, name))
                self._check_training(dataset["models"], home, trained[0])
        dataset["splits"] = ["train", "validation", "test"] if trained and lends else ["test"]
        return dataset

    def _check_mistakes(self, name: str, dataset: Entry) -> None:
        """Judge what is otherwise in the parts of a dataset with mistakes."""
        where = f"{self.where}.{name}.{mistakes.KEY}"
        if mistakes.KEY in dataset and dataset["models"] == name:
            self.refuse(where, "no models beside it", "models: a dataset that shows what methods expect")
        shared = {*schemas.dataset_keys(), "items"}
        for part, change in dataset.get(mistakes.KEY, {}).items():
            for key in sorted(shared & set(change)):
                self.add(f"{where}.{part}.{key}", repr(change[key]), "a key that says how its items are made")
            judged = {key: value for key, value in merged(dataset, change).items() if key not in {*shared, "splits"}}
            judged["items"] = dataset["items"]
            for fault in schema_faults(judged, schemas.of_dataset(self.problem), f"{where}.{part}"):
                self.add(*fault)

    def _lender(self, name: str, key: str) -> str:
        """Dataset whose models or streams are used; its own name if none is stated."""
        if key not in self.stated[name]:
            return name
        lender = self.parent(name, key)
        if self.stated[lender].get(key, lender) != lender:
            self.refuse(f"{self.where}.{name}.{key}", repr(lender), f"a dataset that states no {key} of another one")
        return lender

    def _absent_methods(self, dataset: Entry) -> list[str]:
        """Methods of a dataset that lists none: all that run everywhere, or those of the one that it is like.

        Without a model of the dataset's own home, which would be the row of that model once more.
        """
        everywhere = [one for one in self.named_methods if self.methods.get(one, {}).get("everywhere", True)]
        listed = dataset.get("methods", everywhere)
        return [one for one in listed if self.methods.get(one, {}).get("of") != dataset["models"]]

    def _methods(self, where: str, names: list[str]) -> list[str]:
        """The dataset's methods in the order of the problem's; one whose own entry has a fault is passed over here."""
        known = f"an entry of problems.{self.problem}.methods"
        for i, name in enumerate(names):
            if name not in self.named_methods:
                self.add(*unknown(f"{where}.{i}", name, self.named_methods, known))
        return [name for name in self.methods if name in names]

    def _check_lender(self, name: str, method: Entry, found: dict[str, Entry]) -> None:
        """Judge whether the dataset that a method's weights are `of` trains them."""
        where, lender, weights = f"problems.{self.problem}.methods.{name}.of", method["of"], method["model"]
        if lender not in self.stated:
            self.add(*unknown(where, lender, self.stated, f"an entry of {self.where}"))
        elif lender in found and (found[lender]["models"] != lender or weights not in found[lender]["methods"]):
            trains = [name for name, one in found.items() if one["models"] == name and weights in one["methods"]]
            expected = f"a dataset on which {weights} is trained: one of {', '.join(trains) or 'none'}"
            self.add(where, repr(lender), expected)

    def _check_training(self, name: str, home: Entry, method: str) -> None:
        """Judge whether there are items to train on."""
        for split in ("train", "validation"):
            if not home["items"][split]:
                self.add(f"{self.where}.{name}.items.{split}", "0", f"at least 1, as {method} is trained on it")
