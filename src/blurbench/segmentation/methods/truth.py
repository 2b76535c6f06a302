"""Limit: the truth, with every cell on its own, which bounds everybody; where cells overlap the upper one wins."""

from blurbench.segmentation.items import answers


class Truth:
    kind = "limit"
    trains = False
    bound = True

    def predict(self, dataset, model, device):
        return answers(dataset, lambda field: field.labels)
