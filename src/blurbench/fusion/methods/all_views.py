"""Control: the noisy views fused, the input and its noise among them: what a microscope with more views would show."""

from blurbench.fusion.items import answers


class AllViews:
    kind = "control"
    trains = False

    def predict(self, dataset, model, device):
        return answers(dataset, lambda view: view.truth.fused_given)
