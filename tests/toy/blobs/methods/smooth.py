"""Gaussian filter."""

from blurbench.blobs.items import images
from scipy.ndimage import gaussian_filter


class Smooth:
    kind = "classical"
    trains = False
    options = {"sd_px": 1.0}

    def predict(self, dataset, model, device):
        for image in images(dataset):
            yield gaussian_filter(image.photons, self.sd_px)
