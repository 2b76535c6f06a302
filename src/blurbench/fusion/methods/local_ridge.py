"""Ridge regression of the truth at a voxel on features of the view around it, and on all products of two of them.

The simplest learner on what a careful user would try. A network that does not beat it has learned nothing yet.
"""

from blurbench.fusion import quadratic
from blurbench.fusion.local_regression import LocalRegression


class LocalRidge(LocalRegression):
    kind = "learned"
    trains = True
    network = False
    options = {
        "strengths": [0.1, 1.0, 10.0, 100.0, 1000.0],  # the best on validation is taken
        "dimmed": 1,
        "target": "density",
    }
    allowed = {"dimmed": {"minimum": 0}, "target": {"enum": ["density", "fused", "deconvolved"]}}

    def regressions(self, x, y, held_out, seed):
        return quadratic.fits(x, y, self.strengths)

    def root(self, model, x):
        return quadratic.value(model, x)
