"""A 3-D U-Net whose answers must explain the view: through the forward model of the microscope, by Poisson likelihood.

Beside the mean square error to the truth there is a term that needs no truth (`torch_forward.unexplained`). How much
light is left is estimated from the view, as for a recording. So the network can go on learning on a view that nobody
has the truth of, by that term alone: `adapt_steps`.
"""

from copy import deepcopy

import numpy as np
import torch

from blurbench.fusion import network_inputs
from blurbench.fusion.features import whole
from blurbench.fusion.learned import Learned
from blurbench.fusion.network_inputs import stacked
from blurbench.fusion.restoration import part
from blurbench.fusion.torch_forward import Forward, unexplained
from blurbench.learning.unet import UNet

RATE = 1e-4  # of learning on one view
PATCHES = 2  # of it a step


class UNet3DPhysics(Learned):
    kind = "learned"
    trains = True
    options = {
        "width": 32,
        "levels": 5,
        "patch_px": [32, 48, 48],
        "tile": 96,
        "estimated": False,
        "weight": 0.002,  # of the term, beside the mean square error
        "adapt_steps": 0,  # on each view, before it is predicted
    }
    allowed = {"patch_px": {"minItems": 3, "maxItems": 3}, "adapt_steps": {"minimum": 0}}

    def network(self):
        return UNet(3, self.channels, self.width, 1, self.levels)

    def seen(self, part, box, known):
        light = np.stack([part.photons, known.field.on(box)])
        return light, np.array(part.read_noise, np.float32)

    def penalty(self, answer, x, light, read_noise):
        return self.weight * self._unexplained(answer, x, light, read_noise)

    def _unexplained(self, answer, x, light, read_noise):
        photons, left = light.unbind(1)
        axial, lateral = (x[:, channel, 0, 0] for channel in (network_inputs.AXIAL, network_inputs.LATERAL))
        forward = Forward(left, axial, lateral[:, 0], self.spec["imaging"]["truth_sigma_px"])
        return unexplained(answer, photons, forward, read_noise).mean()

    def _restored(self, network, view, device):
        if not self.adapt_steps:
            return super()._restored(network, view, device)
        before = deepcopy(network.state_dict())
        try:
            self._adapt(network, view, device)
            return super()._restored(network, view, device)
        finally:
            network.load_state_dict(before)

    def _adapt(self, network, view, device):
        """Let the network go on learning on a view, by what its answers leave unexplained."""
        known, rng = whole(view), np.random.default_rng(0)
        optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
        for _ in range(self.adapt_steps):
            boxes = [self.random_box(view.photons.shape, rng) for _ in range(PATCHES)]
            parts = [(part(view, box), box, known) for box in boxes]
            patches = [(stacked(self.inputs(*one), one[0].photons.shape), *self.seen(*one)) for one in parts]
            x, *seen = (torch.from_numpy(np.stack(column)).to(device) for column in zip(*patches))
            optimiser.zero_grad(set_to_none=True)
            self._unexplained(network(x).float()[:, 0], x, *seen).backward()
            optimiser.step()
