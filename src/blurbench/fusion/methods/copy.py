"""Control: the view itself, whose N_SSIM is 0 by definition."""

from blurbench.fusion.items import answers


class Copy:
    kind = "control"
    trains = False

    def predict(self, dataset, model, device):
        return answers(dataset, lambda view: view.photons)
