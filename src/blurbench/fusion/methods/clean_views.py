"""Limit: the views fused without their noise, which bounds whoever fuses views and does not deconvolve them."""

from blurbench.fusion.items import answers


class CleanViews:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        return answers(dataset, lambda view: view.truth.fused_clean)
