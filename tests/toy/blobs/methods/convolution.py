"""One convolution, learned."""

import torch
from blurbench.blobs.items import images
from torch import nn
from torch.nn.functional import mse_loss

from blurbench.learning import training
from blurbench.learning.device import find_device
from blurbench.learning.weights import trained, untrained, weights


class Convolution:
    kind = "learned"
    trains = True
    options = {"side": 5}

    def network(self):
        return nn.Conv2d(1, 1, self.side, padding="same")

    def fit(self, splits, budget, device, seed):
        device = find_device(device)
        network = untrained(self.network, budget, device, seed)
        pairs = {name: [x.to(device) for x in _pairs(split)] for name, split in splits.items()}

        def batch(index, rng):
            return [x[index] for x in pairs["train"]]

        def loss(network, batch):
            return mse_loss(network(batch[0]).float(), batch[1])

        def validate(network):
            return {"validation_loss": float(loss(network, pairs["validation"]))}

        n = len(splits["train"])
        curve = training.train(network, batch, n, n, loss, validate, budget, seed, device)
        return {"network": weights(network)}, curve

    def predict(self, dataset, model, device):
        device = find_device(device)
        network = trained(self.network(), model, device)
        for image in images(dataset):
            with torch.inference_mode():
                yield network(torch.from_numpy(image.photons)[None, None].to(device))[0, 0].float().cpu().numpy()


def _pairs(dataset):
    """Noisy and clean images (n, 1, y, x)."""
    both = zip(*((torch.from_numpy(one.photons), torch.from_numpy(one.clean)) for one in images(dataset)))
    return [torch.stack(part)[:, None] for part in both]
