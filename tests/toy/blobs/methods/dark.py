"""Control: no blob anywhere."""

import numpy as np
from blurbench.blobs.items import images


class Dark:
    kind = "control"
    trains = False

    def predict(self, dataset, model, device):
        return (np.zeros_like(image.photons) for image in images(dataset))
