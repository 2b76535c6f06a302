"""Limit: the image without noise."""

from blurbench.blobs.items import images


class Clean:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        return (image.clean for image in images(dataset))
