"""U-Net parts on images and volumes: sizes, what is convolved, and the weights that a seed gives."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from blurbench.learning.tiles import window
from blurbench.learning.unet import Gate, Residual, UNet


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("dims", [2, 3])
def test_the_answer_has_the_sides_of_the_image(dims, gated):
    network = UNet(dims, 2, 4, 3, levels=3, gated=gated).eval()
    sides = (8, 16, 12)[:dims]
    assert network(torch.zeros(2, 2, *sides)).shape == (2, 3, *sides)
    assert all(p.ndim in (1, 2 + dims) for p in network.parameters())


@pytest.mark.parametrize("dims", [2, 3])
def test_a_plane_convolved_in_2d_is_one_convolved_in_3d(dims):
    """A 3-D network whose kernels are those of the 2-D one in their middle plane answers as that one does."""
    torch.manual_seed(0)
    flat, deep = (UNet(d, 1, 4, 1, levels=1).eval() for d in (2, 3))
    with torch.no_grad():
        for a, b in zip(flat.parameters(), deep.parameters()):
            b.zero_()
            if b.ndim == 5:
                b[:, :, b.shape[2] // 2] = a
            else:
                b.copy_(a)
    x = torch.randn(1, 1, 8, 8)
    assert torch.allclose(flat(x), deep(x[:, :, None].expand(-1, -1, 4, -1, -1))[:, :, 2], atol=1e-5)


@pytest.mark.parametrize("kind", [{}, {"gated": True}, {"transposed": True}], ids=["plain", "gated", "transposed"])
@pytest.mark.parametrize("levels", [1, 2, 4])
@pytest.mark.parametrize("sides", [(40, 104), (24, 8, 40)], ids=["image", "volume"])
def test_the_answer_by_levels_is_that_to_the_whole_image(sides, levels, kind):
    torch.manual_seed(1)
    network, x, most = UNet(len(sides), 2, 4, 3, levels, **kind).eval(), torch.randn(1, 2, *sides), []

    def read(box):
        part = x[(..., *window(box))]
        most.append(max(part.shape[2:]))
        return part

    with torch.inference_mode():
        torch.testing.assert_close(network.by_levels(read, sides, 16), network(x), atol=1e-6, rtol=0)
    assert max(most) <= 16 + 2 * 4 or levels == 1  # four convolutions; only the coarsest level is seen as a whole


@pytest.mark.parametrize("dims", [2, 3])
def test_blocks_of_a_unet(dims):
    x = torch.randn(1, 4, *[6] * dims)
    block = Residual(dims, 4).eval()
    nn.init.zeros_(block.second[0].weight)
    assert torch.equal(block(x), functional.relu(x))  # nothing but the shortcut
    gate = Gate(dims, 4, 8)
    nn.init.zeros_(gate.weigh.weight)
    nn.init.zeros_(gate.weigh.bias)
    assert torch.allclose(gate(x, torch.randn(1, 8, *[6] * dims)), x / 2)


def test_a_unet_in_3d_is_built_in_the_order_of_its_levels():
    """The weights that a seed gives depend on the order in which layers are made: down, gates, up, head."""
    torch.manual_seed(5)
    network = UNet(3, 1, 4, 2, levels=2, gated=True)
    torch.manual_seed(5)
    expected = [nn.Conv3d(a, b, 3, bias=False).weight for a, b in ((1, 4), (4, 4), (4, 8), (8, 8))]
    skip, ask, weigh = nn.Conv3d(4, 2, 1, bias=False), nn.Conv3d(8, 2, 1), nn.Conv3d(2, 1, 1)
    expected += [skip.weight, ask.weight, weigh.weight]
    expected += [nn.Conv3d(a, b, 3, bias=False).weight for a, b in ((12, 4), (4, 4))]
    expected.append(nn.Conv3d(4, 2, 1).weight)
    found = [p for p in network.parameters() if p.ndim == 5]
    assert len(found) == len(expected) and all(torch.equal(a, b) for a, b in zip(found, expected))
    assert {name.split(".")[0] for name in network.state_dict()} == {"down", "gates", "up", "head"}
