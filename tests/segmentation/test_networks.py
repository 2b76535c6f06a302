"""Networks of the segmentation problem: what they see, how far, and tiles without seams."""

import numpy as np
import pytest
import torch
from skimage.draw import disk
from torch import nn
from torch.nn import functional

from blurbench.learning.tiles import window
from blurbench.segmentation.items import Field
from blurbench.segmentation.learned import Learned, mask_loss
from blurbench.segmentation.methods.ours import Ours
from blurbench.segmentation.methods.unet import UNetOfTheSource
from blurbench.segmentation.methods.unet_instance import UNetInstance
from blurbench.segmentation.optics import blurred
from blurbench.segmentation.score import instance_f1

CPU = torch.device("cpu")
RADIUS = 15


def made(method, **options):
    """A method with its options, as the workflow makes it."""
    instance = method()
    for name, value in {**method.options, **options}.items():
        setattr(instance, name, value)
    return instance


def test_the_source_network_has_as_many_parameters_as_published():
    small = made(UNetOfTheSource).network().small
    assert sum(p.numel() for p in small.parameters()) == 31_036_546  # 1 channel in, 2 classes out


@pytest.mark.parametrize("method", [Ours, UNetInstance, UNetOfTheSource])
def test_no_answer_depends_on_what_lies_beyond_the_margin(method):
    instance = made(method, width=4, levels=3)
    torch.manual_seed(1)
    network = instance.network().eval()
    side, margin = 4 * instance.align, instance.margin
    x, numbers = torch.randn(1, instance.planes, side, side + margin), torch.zeros(1, instance.numbers)
    changed = x.clone()
    changed[..., side + margin - 1] += 100
    with torch.inference_mode():
        a, b = network(x, numbers)[..., :side], network(changed, numbers)[..., :side]
    assert torch.equal(a[..., : side - 1], b[..., : side - 1])


def crowded(shape, blur_px=4.0):
    """Discs all over an image, next to each other and over the borders of all tiles, as the camera sees them."""
    rng, labels = np.random.default_rng(1), np.zeros(shape, np.uint16)
    grid = np.stack(np.meshgrid(*(np.arange(10, n, 2.3 * RADIUS) for n in shape), indexing="ij"), -1).reshape(-1, 2)
    for number, centre in enumerate(grid + rng.uniform(-4, 4, grid.shape), start=1):
        labels[disk(centre, RADIUS, shape=shape)] = number
    image = blurred(np.where(labels > 0, 140, 1).astype(np.float32), blur_px)
    return Field(image + rng.normal(0, 1, shape).astype(np.float32), "nuclei", blur_px, 2.0 * RADIUS, labels)


class Smoothed(Learned):
    """Says how bright it is around, and nothing that it would have to learn."""

    cells, told = True, False
    tile, levels, separation, least = 64, 2, 0.3, 0.1

    def __init__(self):
        self.sides = []

    def network(self):
        outer = self

        class Network(nn.Module):
            def forward(self, x, numbers):
                outer.sides.append(x.shape[2:])
                smooth = functional.avg_pool2d(x[:, :1], 9, stride=1, padding=4, count_include_pad=False)
                return torch.cat([x[:, :1] - 0.5, smooth], dim=1)

        return Network()


def test_tiles_leave_no_seams():
    one, method = crowded((230, 310)), Smoothed()
    tiled = method.segment(method.network(), one, CPU)
    method.tile = 512
    whole = method.segment(method.network(), one, CPU)
    np.testing.assert_array_equal(tiled > 0, whole > 0)
    assert instance_f1(tiled, whole, iou=0.999) == 1  # the same cells, numbered in another order
    assert len(np.unique(tiled)) == len(np.unique(whole)) > 50


@pytest.mark.parametrize("method", [Ours, UNetInstance, UNetOfTheSource])
def test_networks_answer_in_tiles_what_they_answer_whole(method):
    one = crowded((150, 420))
    small, large = (made(method, width=4, levels=2, tile=tile) for tile in (64, 512))
    torch.manual_seed(2)
    network = small.network().eval()
    ((_, whole),) = large.tiled(network, one, CPU)
    for tile, answer in small.tiled(network, one, CPU):
        expected = whole[(slice(None), *window(tile.core))]
        found = answer[(slice(None), *window(tile.core, tile.read))]
        np.testing.assert_allclose(found, expected, atol=1e-3 * np.ptp(whole))  # what Wiener's filter reaches further


def test_a_network_is_given_no_more_of_a_large_image_than_a_tile_and_its_margin():
    method = Smoothed()
    side = method.tile + 2 * (method.margin + 2 * int(np.ceil(1.5 * 2 * RADIUS)))
    for shape in ((300, 300), (900, 600)):
        method.segment(method.network(), crowded(shape), CPU)
    assert max(max(sides) for sides in method.sides) <= side


def test_brighter_images_hold_the_same_cells():
    one, method = crowded((150, 150), blur_px=7.0), made(Ours, width=4, levels=2)
    torch.manual_seed(3)
    network = method.network().eval()
    brighter = one._replace(image=3 * one.image + 20)
    a, b = (method.segment(network, f, CPU) > 0 for f in (one, brighter))
    assert np.mean(a != b) < 1e-3  # rounding


def test_a_right_mask_costs_nothing_and_a_wrong_one_costs_more_the_surer_it_is():
    truth = torch.from_numpy((crowded((64, 64)).labels > 0)[None].astype(np.float32))
    losses = [float(mask_loss(sure * (2 * truth - 1), truth)) for sure in (20, 1, -1, -5)]
    assert losses[0] == pytest.approx(0, abs=1e-4) and losses == sorted(losses)


def test_ours_that_is_not_told_the_blur_answers_the_same_whatever_it_is():
    one, method = crowded((150, 150), blur_px=7.0), made(Ours, width=4, levels=2, told=False, sharpened=False)
    torch.manual_seed(4)
    network = method.network().eval()
    a, b = (method.segment(network, one._replace(blur_px=f), CPU) for f in (7.0, 30.0))
    np.testing.assert_array_equal(a, b)
