"""The learned methods: their inputs turn with the image, and their networks are what they claim to be."""

import numpy as np
import pandas as pd
import pytest
import torch

from blurbench.diffusion import learned, network_inputs
from blurbench.diffusion.simulate import imaging, render
from blurbench.files.datasets import Dataset
from blurbench.learning.budget import Budget
from blurbench.microscopy.random_streams import key
from blurbench.running import methods

PUBLISHED = ("pix2d", "resnet2d", "resnet3d", "transformer")
EVERY = (*PUBLISHED, "ours")


def spec(**changes):
    return {"imaging": imaging({"frames": 6, "size_px": 32, **changes}), "D_um2_s": [0.05, 20]}


def dataset(n=6, **changes):
    described = spec(**changes)
    D = np.geomspace(0.1, 10, n)
    images, positions, items = render(D, described["imaging"], key("networks"))
    return Dataset({"spec": described, "problem": "diffusion"}, images, items, {"positions": positions, "D": D})


@pytest.mark.parametrize("name", PUBLISHED)
def test_rotations_are_rotations(name):
    """The four elements of `rotations: 4` keep the handedness of an image; all eight are different images."""
    method = methods.load("diffusion", name)
    image = torch.arange(9.0).view(1, 1, 3, 3)
    expected = {tuple(torch.rot90(image, k, (-2, -1)).flatten().tolist()) for k in range(4)}
    assert {tuple(method.turn(image, e).flatten().tolist()) for e in method.elements[4]} == expected
    assert len({tuple(method.turn(image, e).flatten().tolist()) for e in method.elements[8]}) == 8


def test_backwards_leaves_padding_behind():
    x = torch.tensor([[1.0, 2, 3, 0], [1, 2, 0, 0]])[..., None]
    present = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]], dtype=torch.bool)
    assert learned.reverse(x, present)[..., 0].tolist() == [[3, 2, 1, 0], [2, 1, 0, 0]]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_have_their_size_in_full(name):
    network = methods.load("diffusion", name).network(spec(frames=16, size_px=64))
    millions = sum(p.numel() for p in network.parameters()) / 1e6
    assert 1.6 < millions < 5.2  # Pix2D 1.66 (derived from its paper), ResNet2D 4.9, ResNet3D 3.6 (source report)


@pytest.mark.parametrize("name", ["resnet3d", "transformer", "ours"])
def test_parameters_do_not_depend_on_the_number_of_frames(name):
    sizes = {
        sum(p.numel() for p in methods.load("diffusion", name).network(spec(frames=n)).parameters()) for n in (4, 32)
    }
    assert len(sizes) == 1


@pytest.mark.parametrize("name", ["resnet3d", "transformer", "ours"])
def test_padding_frames_change_nothing(name):
    """The answer to 6 frames is that to the same 6 frames with 3 empty ones behind them. Float32 rounding."""
    method = methods.load("diffusion", name)
    torch.manual_seed(0)
    network = method.network(spec()).eval()
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.05)
    x, microscope, present = (torch.from_numpy(np.ascontiguousarray(a)) for a in method.prepare(dataset(), 1))
    x = x.float()
    empty = torch.zeros(len(x), 3, *x.shape[2:])
    longer, mask = torch.cat([x, empty], dim=1), torch.cat([present, torch.zeros(len(x), 3, dtype=torch.bool)], dim=1)
    with torch.inference_mode():
        if name == "resnet3d":  # its last real frames see the padding through the kernel: zeros, as at the border
            assert torch.isfinite(network(longer, microscope, mask)).all()
        else:
            assert torch.allclose(network(x, microscope, present), network(longer, microscope, mask), atol=1e-4)


def test_resnet3d_convolves_over_time():
    """Frames in another order give another answer: a network with frames as depth 1 could not tell."""
    network = methods.load("diffusion", "resnet3d", {"width": 4}).network(spec()).eval()
    x = torch.randn(2, 6, 32, 32)
    microscope, present = torch.zeros(2, network_inputs.PARAMETERS), torch.ones(2, 6, dtype=torch.bool)
    with torch.inference_mode():
        assert not torch.allclose(
            network(x, microscope, present), network(x[:, [3, 0, 5, 1, 4, 2]], microscope, present)
        )


def test_ours_begins_as_the_likelihood_it_corrects():
    given = dataset()
    method = methods.load("diffusion", "ours")
    network = method.network(given.spec).eval()
    x, summary, present = (torch.from_numpy(a) for a in method.prepare(given, 1))
    with torch.inference_mode():
        answer = network(x, summary, present)
    assert torch.allclose(answer[:, 0], summary[:, 0]) and torch.allclose(answer[:, 1].exp(), summary[:, 1])


@pytest.mark.parametrize("name", [*EVERY, "summary_ridge"])
def test_a_stack_is_read_as_those_of_the_training_whatever_dataset_it_is_of(name):
    """One stack of a dataset on one microscope and of one of many: one answer from a model, in the last digit."""
    one_microscope, method = dataset(), methods.load("diffusion", name)
    ranges = {
        "photons": [30, 1000],
        "frame_time_s": [0.005, 0.04],
        "exposure_s": 0.04,
        "psf": {"kind": "gaussian", "fwhm_um": [0.1, 0.35]},
    }
    many = {"imaging": {**one_microscope.spec["imaging"], **ranges}, "D_um2_s": [0.01, 100]}
    of_many = one_microscope.with_spec(many)
    if name == "summary_ridge":
        model, _ = method.fit({"train": of_many, "validation": of_many}, Budget(), torch.device("cpu"), 1)
    else:
        torch.manual_seed(0)
        network = method.network(many)
        for p in network.parameters():
            torch.nn.init.normal_(p, std=0.05)
        model = {"network": network.state_dict(), "precision": "float32"}
    model = {**model, "spec": many}
    there, here = (method.predict(given.blind(), model, "cpu") for given in (of_many, one_microscope))
    pd.testing.assert_frame_equal(pd.DataFrame(here), pd.DataFrame(there), check_exact=True)


def test_what_a_likelihood_says_depends_on_the_ranges_that_it_is_for():
    """So the test above could fail."""
    given = dataset()
    wider = given.with_spec({**given.spec, "D_um2_s": [0.01, 100]})
    told, untold = (methods.load("diffusion", "ours").prepare(one, 1)[1] for one in (given, wider))
    assert not np.allclose(told, untold, atol=1e-2)


@pytest.mark.parametrize("sure", [-9.0, 9.0])
def test_no_network_is_surer_than_a_path_known_exactly(sure):
    """32 frames of 10 sub-positions in the plane are 640 steps: SD / D = sqrt(2 / 640) = 0.056."""

    def network(x, microscope, present):
        return torch.tensor([[1.0, sure]]).repeat(len(x), 1)

    mean, log_sd = learned._answer(network, torch.zeros(3, 4), None, None)
    np.testing.assert_allclose(np.exp(log_sd), 0.05 if sure < 0 else 7.0, rtol=1e-5)
    assert learned.SD_RANGE[0] < np.sqrt(2 / 640) and (mean == 1).all()
