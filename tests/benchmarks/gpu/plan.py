"""All pieces of a session, the most valuable first, and what each of them waits for."""

import trainings
import yaml
from agreement import compare
from library import networks
from pieces import Piece, longest
from throughput import measure

from blurbench import problems


class Plan:
    """The pieces: do devices agree, of every network; the speed of every training; datasets, and trainings on them.

    Parameters
    ----------
    config : expanded
    cuts : whether numbers of items are cut to what fits the minutes
    tests : folder of <problem>/tiny.yaml
    out : folder to write
    device, threads : of the networks
    clock : of the minutes
    """

    def __init__(self, config, cuts, tests, out, device, threads, clock):
        self.config, self.cuts, self.tests, self.out = config, cuts, tests, out
        self.device, self.threads, self.clock = device, threads, clock
        methods = {problem: entry["methods"] for problem, entry in config["problems"].items()}
        asked = [one for one in trainings.of(config) if methods[one.problem][one.method]["network"]]
        self.agreement = [self._agreement(problem, name) for problem in problems.names() for name in networks(problem)]
        first = asked[0].seed if asked else None  # the speed of one seed is that of all
        self.throughput = {t[:3]: self._throughput(t) for t in asked if t.seed == first}
        self.datasets = {key: self._dataset(*key) for key in dict.fromkeys(t[:2] for t in asked)}
        self.trainings = {t: self._training(t) for t in asked}

    @property
    def pieces(self):
        """In order; a dataset before the first training on it."""
        last = [piece for t, training in self.trainings.items() for piece in (self.datasets[t[:2]], training)]
        return [*self.agreement, *self.throughput.values(), *dict.fromkeys(last)]

    def _agreement(self, problem, name):
        def make():
            about = self.device, self.config["precision"], self.clock
            tiny = yaml.safe_load((self.tests / problem / "tiny.yaml").read_text(encoding="utf-8"))
            return compare(problem, name, tiny, self.out / "agreement" / problem, *about)

        def needs():
            return longest(piece for piece in self.agreement if piece.name.startswith(f"{problem}/"))

        return Piece("agreement", f"{problem}/{name}", self.out, make, needs)

    def _throughput(self, training):
        def make():
            return measure(self.config, training, self.device, self.threads, self.clock)

        return Piece("throughput", "/".join(training[:3]), self.out, make, lambda: longest(self.throughput.values()))

    def _dataset(self, problem, dataset):
        stated = trainings.stated(self.config, problem, dataset)

        def speeds():
            found = [piece.read() for key, piece in self.throughput.items() if key[:2] == (problem, dataset)]
            return [speed for speed in found if speed]

        def numbers():
            return trainings.cut(stated, speeds(), self.clock.seconds) if self.cuts else stated

        def make():
            return trainings.make_dataset(self.config, problem, dataset, numbers(), self.folder(problem, dataset))

        def needs():
            if not speeds():
                return "it waits for the throughput of its trainings, which tells how many items fit"
            return sum(numbers().values()) / min(speed["simulated_per_s"] for speed in speeds())

        return Piece("dataset", f"{problem}/{dataset}", self.out, make, needs)

    def _training(self, training):
        dataset, speed = self.datasets[training[:2]], self.throughput[training[:3]]
        files = self.files(training)

        def make():
            stores = self.folder(*training[:2])
            return trainings.make(self.config, training, stores, files, self.device, self.threads, self.clock)

        def needs():
            if not (dataset.read() and speed.read()):
                return "it waits for its dataset and its throughput"
            budget = training.entry(self.config)["budget"]
            return trainings.interval(budget, dataset.read()["items"]["train"], speed.read())

        return Piece("training", "/".join(map(str, training)), self.out, make, needs)

    def folder(self, problem, dataset):
        """Where the splits of a dataset lie."""
        return self.out / "dataset" / problem / dataset

    def files(self, training):
        """Path of a training's model, learning curve and checkpoint, without suffix."""
        return self.out.joinpath("training", *map(str, training))
