"""What the headings of tables for people mean: shared words here, a problem's numbers in <problem>/terms.py."""

from blurbench import problems
from blurbench.scoring.metric import Metric, Published
from blurbench.tables.rendering import FEW, NONE

SHARED = {
    "kind": "learned: trained, or fitted, on the training split; classical: not trained, at most chosen on the "
    "validation split; limit: what the images allow at best; control: what everybody must beat",
    "rank": "among learned and classical methods of a dataset, 1 is the best; limits and controls have none",
    "95 % interval": "[lowest, highest], by bootstrap within the cells of the design, to two digits of its half width, "
    "as is the number before it; none where items are too few, nothing scatters, or there is no sample, and then "
    "numbers have three digits",
    "↑, ↓, →": "the highest is the best, the lowest is, or what comes nearest to the number behind the arrow",
    "†": FEW.removeprefix("†: ").removesuffix("."),
    "failed": "items without an answer, each counting as the worst value in number and rank",
    NONE: "not defined, not stated by the method, or nothing is trained",
    "s an item": "of prediction, on one thread of the machine of the run",
    "training core-s": "of one training, features included, on all cores together",
    "prediction MB": "the most memory seen of the job that predicts a test split, Python and libraries included; what "
    "its processes share counts for each of them, and a peak of less than half a minute may be missed",
    "training MB": "likewise, of a job that trains once",
    "first less second": "mean difference on the same items, the number of the first method less that of the second",
    "p": "of the difference shown, for the pairs that were planned to be tested, Holm-corrected over a dataset",
}


def shared(*words: str) -> dict[str, str]:
    """What some of the shared words mean."""
    return {word: SHARED[word] for word in words}


def headings(problem: str) -> dict[str, str]:
    """The labels of a problem's published numbers, each with an arrow that says which way is better."""
    declared = [(metric, number) for metric in problems.find(problem, "score.METRICS") for number in metric.published]
    return {number.label: heading(metric, number) for metric, number in declared if number.label}


def heading(metric: Metric, number: Published) -> str:
    """The label of a published number, with that arrow."""
    arrows = {"max": "↑", "min": "↓", "target": f"→ {metric.target:g}"}
    return f"{number.label} {arrows[metric.direction_of(number)]}"


def meanings(problem: str, labels) -> dict[str, str]:
    """What those of `labels` mean that are numbers of a problem, by their headings."""
    known, shown = problems.find(problem, "terms.TERMS"), headings(problem)
    return {shown.get(label, label): text for label, text in known.items() if label in set(labels)}
