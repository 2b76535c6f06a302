"""A network's weights: as a training begins with them, as a model holds them, as a prediction takes them up."""

import torch

from blurbench.learning.budget import Budget
from blurbench.learning.device import place


def untrained(build, budget: Budget, device: torch.device, seed: int):
    """The network of `build()` on its device, the same for the same seed; what every `fit` begins with."""
    torch.manual_seed(seed)
    torch.set_num_threads(budget.threads)
    return place(build(), device, budget.precision)


def weights(network) -> dict:
    """State dict of a network, on the CPU: what a model file holds of it."""
    return {name: value.cpu() for name, value in network.state_dict().items()}


def trained(network, model: dict, device: torch.device):
    """A network with the weights of a model and its precision, on its device and ready to predict."""
    network.load_state_dict(model["network"])
    return place(network, device, model["precision"]).eval()
