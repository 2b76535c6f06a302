"""What the numbers above the columns of the tables mean; d is the diameter of the spheres."""

TERMS = {
    "F1": "harmonic mean of precision and recall",
    "precision": "share of the detections that are right",
    "recall": "share of the spheres that are found",
    "AP": "average precision, the area under precision over recall as detections are added by falling confidence; "
    "not of a method that states no confidence",
    "false per volume": "detections in a volume that are of no sphere; a failed volume has none",
    "rms z / d": "root mean square error along z of the right detections, in d",
    "rms x, y / d": "the same along x and y, root mean square of an axis",
    "φ found / φ": "number of spheres found over that of the true ones, as a ratio of volume fractions",
    "precision from g(r)": "share of the detections that are some sphere's, from how few pairs of them are nearer than "
    "spheres can be; needs no truth",
    "AP as scored": "average precision of the challenge, by its code: the scale of distances is the radius",
    "AP as described": "average precision of the challenge, by its description: the scale of distances is the diameter",
    "precision at d / 2": "share of the detections within d / 2 of a sphere, matched one to one",
    "recall at d / 2": "share of the spheres with a detection within d / 2, matched one to one",
    "s per volume": "seconds that one answer takes on one thread",
}
