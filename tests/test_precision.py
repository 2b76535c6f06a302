"""The precision that networks multiply in is the one that is stated, and goes with the weights."""

import copy

import pytest
import torch

from blurbench.learning.budget import Budget
from blurbench.learning.tiles import window
from blurbench.learning.unet import UNet
from blurbench.learning.weights import trained, untrained, weights

CPU = torch.device("cpu")
X = torch.linspace(0.1, 1, 32)[None]


def build():
    return torch.nn.Linear(32, 1, bias=False)


def rounded(x):
    """To the 8 bits of bfloat16's significand."""
    return x.bfloat16().float()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_network_multiplies_in_the_precision_of_its_budget_and_of_its_model(precision):
    network = untrained(build, Budget(precision=precision), CPU, seed=1)
    plain = network.weight.detach().clone()
    assert torch.equal(untrained(build, Budget(), CPU, seed=1).weight, plain)  # begins as with any other
    model = {"network": weights(network), "precision": precision}
    again = trained(build(), copy.deepcopy(model), CPU)
    for one in (network, again):
        answer = one(X)
        assert answer.dtype == getattr(torch, precision) and one.weight.dtype == torch.float32
        right = (X.double() @ plain.double().T).item()
        lossy = (rounded(X).double() @ rounded(plain).double().T).item()
        if precision == "float32":
            assert answer.item() == pytest.approx(right, rel=1e-5)  # 32 sums, of rounding 6e-8 each
        else:
            assert answer.item() == rounded(torch.tensor(lossy)).item() != pytest.approx(right, rel=1e-5)


def test_float32_is_not_rounded_further_on_a_gpu():
    untrained(build, Budget(), CPU, seed=1)
    assert not torch.backends.cudnn.allow_tf32 and torch.get_float32_matmul_precision() == "highest"


def test_gradients_flow_in_bfloat16():
    network = untrained(build, Budget(precision="bfloat16"), CPU, seed=1)
    network(X).float().sum().backward()
    assert torch.equal(network.weight.grad, rounded(X))


def test_a_unet_answers_by_levels_in_its_precision():
    network = untrained(lambda: UNet(2, 1, 4, 1, 2), Budget(precision="bfloat16"), CPU, seed=1).eval()
    x = torch.randn(1, 1, 32, 32)
    with torch.inference_mode():
        found = network.by_levels(lambda box: x[(..., *window(box))], (32, 32), 16)
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found, network(x), atol=2**-8, rtol=2**-6)  # a rounding or two of 2**-8
