"""Entries of one problem that may name each other: what its methods and its datasets have in common."""

import copy
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any, NoReturn

from blurbench.planning.faults import Fault, unknown

Entry = dict[str, Any]


class Refused(Exception):
    """An entry that cannot be expanded; the reason stands among the faults."""


class Entries(ABC):
    """The methods or the datasets of one problem.

    Parameters
    ----------
    problem : name
    where : key at which the entries stand, such as problems.diffusion.methods
    stated : the entries as they are written
    faults : those found so far; what is found wrong here is added
    """

    def __init__(self, problem: str, where: str, stated: dict[str, Entry], faults: list[Fault]) -> None:
        self.problem, self.where, self.faults = problem, where, faults
        self.stated = copy.deepcopy(stated)
        self.broken = {fault.where for fault in faults}

    def expanded(self) -> dict[str, Entry]:
        """Every entry expanded; one with a fault, its own or that of an entry it is made from, is left out."""
        found = {}
        for name in self.stated:
            with suppress(Refused):
                found[name] = self.expand(name)
        return found

    @abstractmethod
    def expand(self, name: str, chain: tuple[str, ...] = ()) -> Entry:
        """One entry expanded; `chain` holds the entries that led to it. Raises Refused."""

    def parent(self, name: str, key: str, chain: tuple[str, ...] = ()) -> str:
        """The entry that `key` (`like`, `model` and so on) of another one names; Refused if none, or in a circle."""
        named, where = self.stated[name][key], f"{self.where}.{name}.{key}"
        if named not in self.stated:
            self.refuse(*unknown(where, named, self.stated, f"an entry of {self.where}"))
        if named in (*chain, name):
            self.refuse(where, repr(named), f"no circle ({' -> '.join((*chain, name, named))})")
        return named

    def add(self, where: str, found: str, expected: str) -> None:
        """Add a fault."""
        self.faults.append(Fault(where, found, expected))
        self.broken.add(where)

    def refuse(self, where: str, found: str, expected: str) -> NoReturn:
        """Add a fault with which the entry cannot be expanded."""
        self.add(where, found, expected)
        raise Refused(where)

    def pass_over_if_broken(self, where: str) -> None:
        """Raise Refused for an entry in which a fault was found: it is told already."""
        if any(broken == where or broken.startswith(f"{where}.") for broken in self.broken):
            raise Refused(where)
