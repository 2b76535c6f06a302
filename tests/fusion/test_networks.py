"""Networks of fusion: the forward model that one of them learns by, tiles without seams, what they are told."""

import numpy as np
import pytest
import torch

from blurbench.fusion import forward as microscope
from blurbench.fusion import network_inputs
from blurbench.fusion.features import LIGHT, features, whole
from blurbench.fusion.items import View
from blurbench.fusion.local_regression import ridge_answer
from blurbench.fusion.optics import Optics, axial_sigma, blur, blur_transposed, turned
from blurbench.fusion.restoration import part
from blurbench.fusion.ssim import ssim
from blurbench.fusion.torch_forward import Forward, unexplained
from blurbench.fusion.torch_ssim import scored_ssim
from blurbench.running import methods

OPTICS = Optics((1.0, 0.4, 0.4), (2.0, 0.5, 0.5), 4.0, 8.0, 10.0)
SHAPE = 16, 24, 40
COLUMNS = 17  # of `features`
NETWORKS = "unet3d", "unet3d_physics", "unet3d_2view", "unet3d_transformer", "ours"


def cells(shape, seed=1, number=60):
    """Balls of 3 µm at random places, photons."""
    rng, places = np.random.default_rng(seed), np.stack(np.indices(shape), -1) * OPTICS.spacing_um
    volume = np.full(shape, 10, np.float32)
    for centre in rng.uniform(0, places[-1, -1, -1], (number, 3)):
        volume[np.square(places - centre).sum(-1) < 3**2] = 200 * rng.uniform(0.7, 1.3)
    return volume


def absorption(shape, seed=2):
    return np.random.default_rng(seed).uniform(0, 0.1, (2, *shape)).astype(np.float32)


def of(optics, left, sharpness_px=(0, 0, 0)):
    """The forward model of one view."""
    z, _, xy = optics.spacing_um
    axial = axial_sigma(optics, np.arange(left.shape[2]) * xy) / z
    widths = (torch.tensor(np.array([one]), dtype=torch.float32) for one in (axial, optics.sigma_um[2] / xy))
    return Forward(torch.from_numpy(left)[None], *widths, sharpness_px)


def batch(volume):
    return torch.from_numpy(np.ascontiguousarray(volume, np.float32))[None]


# The forward model


def test_the_forward_model_on_tensors_is_that_of_the_microscope():
    density, mu = cells(SHAPE), absorption(SHAPE)
    found = of(OPTICS, microscope.attenuation(*mu, OPTICS))(batch(density))[0].numpy()
    expected = microscope.view(density, *mu, OPTICS)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * expected.max())  # float32


def test_its_gradient_is_the_adjoint():
    """<F u, v> = <u, F' v>, and F' is the transposed blur, then what is left of the light."""
    u, v = (np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32) for seed in (3, 4))
    left = microscope.attenuation(*absorption(SHAPE), OPTICS)
    tensor = batch(u).requires_grad_()
    product = (of(OPTICS, left)(tensor) * batch(v)).sum()
    product.backward()
    adjoint = left * blur_transposed(v, OPTICS)
    size = float(np.linalg.norm(u) * np.linalg.norm(v))
    assert product.item() == pytest.approx(float(np.vdot(u, adjoint)), abs=1e-5 * size)
    np.testing.assert_allclose(tensor.grad[0].numpy(), adjoint, atol=1e-5 * np.abs(v).max())


def test_a_volume_that_is_blurred_already_lacks_the_rest_of_the_blur():
    """Along z the PSF is wider than the volume's Gaussian, along y and x narrower: there the view is blurred."""
    wide = Optics((1.0, 0.4, 0.4), (2.5, 0.2, 0.2), 4.0, 8.0, 1e9)
    axial, sharp = float(axial_sigma(wide, 0.0)), (1.0, 1.5, 1.5)
    density, left = cells(SHAPE), np.ones(SHAPE, np.float32)
    already = wide._replace(sigma_um=(sharp[0], *(0.4 * s for s in sharp[1:])), sheet_waist_um=1e9)
    model = of(wide, left, sharp)
    expected = model(batch(blur(density, already)))[0].numpy()
    observed = model.observed(batch(blur(density, wide)))[0].numpy()
    assert axial > sharp[0] and 0.5 < sharp[1]
    # Gaussians that are sampled add up but for what they have beyond a voxel's frequency and 4 SD: 1e-3 of the peak.
    assert np.abs(expected - observed).max() < 5e-3 * observed.max()
    assert np.abs(blur(density, already) - blur(density, wide)).max() > 0.1 * observed.max()


# The physics term


@pytest.fixture(scope="module")
def recorded():
    """Density, and as tensors a view of it and what explains a volume: function (volume) -> float."""
    density = blur(cells(SHAPE), OPTICS._replace(sigma_um=(0.5, 0.3, 0.3)))
    left = microscope.attenuation(*absorption(SHAPE), OPTICS)
    rng = np.random.default_rng(5)
    photons = batch(rng.poisson(blur(density * left, OPTICS)) + rng.normal(0, 3, SHAPE))
    model, noise = of(OPTICS, left), torch.tensor([3.0])
    return density, left, photons[0].numpy(), lambda volume: float(unexplained(batch(volume), photons, model, noise))


def test_the_truth_explains_the_view_best(recorded):
    density, left, photons, left_over = recorded
    at_truth = left_over(density)
    # Half a squared normal number a voxel, SD 1/√2; 4 SD of the mean of 9,216 voxels, and what a Poisson law adds.
    assert at_truth == pytest.approx(0.5, abs=0.035)
    ramp = np.linspace(0.7, 1.3, SHAPE[2], dtype=np.float32)
    wrong = {
        "view": photons,
        "absorbed": density * left,
        "blurred": blur(density, OPTICS),
        "ramp": density * ramp,
        "shifted": np.roll(density, 1, 2),
        "flat": np.full(SHAPE, 10.0),
        "background": density + 30,
    }
    for name, volume in wrong.items():
        assert left_over(volume) > at_truth + 0.01, name


def test_what_is_left_over_has_no_say_in_how_bright_a_volume_is(recorded):
    density, _, _, left_over = recorded
    assert left_over(3 * density) == pytest.approx(left_over(density), rel=1e-4)  # float32


def test_descent_on_the_physics_term_leads_to_the_truth(recorded):
    """From the view itself, by that term alone; no network, so nothing is known of what specimens look like."""
    density, left, photons, _ = recorded
    volume = batch(np.maximum(photons, 1)).requires_grad_()
    model, noise = of(OPTICS, left), torch.tensor([3.0])
    optimiser, errors = torch.optim.Adam([volume], lr=2.0), []
    for _ in range(30):
        found = volume.detach().numpy()[0]
        errors.append(np.corrcoef(found.ravel(), density.ravel())[0, 1])
        optimiser.zero_grad()
        unexplained(volume, batch(photons), model, noise).sum().backward()
        optimiser.step()
    assert errors[-1] > errors[0] + 0.02


# Networks


def regression():
    """A ridge regression that has learned that the root of the truth is that of the mean of all light."""
    coefficients = torch.zeros(COLUMNS + COLUMNS * (COLUMNS + 1) // 2, dtype=torch.float64)
    coefficients[:LIGHT] = 1 / LIGHT
    model = {"coefficients": coefficients, "intercept": 0.05}
    return {**model, "mean": torch.zeros(COLUMNS), "sd": torch.ones(COLUMNS)}


def lively(name, views, **options):
    """A method, and its untrained network with batch norms as after a training, so that all its levels have a say."""
    method = methods.load("fusion", name, {"width": 4, "levels": 3, **options})
    method.ridge = regression()
    method.spec = {"imaging": {"views_given": views, "truth_sigma_px": [0.5, 0.9, 0.9]}}
    torch.manual_seed(0)
    network = method.network()
    if name == "ours":  # where a training begins its last layer has no say
        network.cells.head.reset_parameters()
    shape = (2, method.channels, 16, 32, 32)
    for part_of in network.modules():
        if isinstance(part_of, torch.nn.BatchNorm3d):
            part_of.momentum = None  # the mean over batches
    with torch.no_grad():
        for _ in range(3):
            network.train()(torch.rand(shape))
    return method, network.eval()


def recorded_view(shape, views=1):
    left = microscope.attenuation(*absorption(shape), OPTICS)
    rng, expected = np.random.default_rng(6), blur(cells(shape) * left, OPTICS)
    seen = rng.poisson(expected, (2, *shape)).astype(np.float32)
    others = tuple(turned(OPTICS, "opposed", shape) for _ in range(views - 1))
    return View(seen[0], OPTICS, 2.0, "nuclei", seen[1:views], others)


def given(name):
    return 2 if name == "unet3d_2view" else 1


@pytest.mark.parametrize(
    ("name", "options"),
    [*((name, {}) for name in NETWORKS), ("ours", {"target": "fused"}), ("ours", {"ridge_views": 0})],
)
def test_tiles_have_no_seams(name, options):
    method, network = lively(name, given(name), **options)
    view, answers = recorded_view((14, 30, 250), given(name)), []  # sides that are no multiples
    for method.tile in (256, 64):
        answers.append(method._restored(network, view, torch.device("cpu")))
    at_once, tiled = answers
    assert np.abs(tiled - at_once).max() < 1e-3 * np.ptp(at_once)  # the bar of the problem


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "change", [{"sigma_um": (2.0, 0.6, 0.6)}, {"sheet_waist_um": 5.0}, {"spacing_um": (1.2, 0.4, 0.4)}]
)
def test_a_constant_of_the_optics_that_is_told_changes_the_answer(name, change):
    method, network = lively(name, given(name))
    view, device = recorded_view((16, 32, 32), given(name)), torch.device("cpu")
    usual = method._restored(network, view, device)
    other = method._restored(network, view._replace(optics=OPTICS._replace(**change)), device)
    assert np.abs(other - usual).max() > 1e-3 * np.ptp(usual)


def test_the_loss_of_a_noisy_target_is_the_score():
    """That of whole volumes, in float32."""
    rng = np.random.default_rng(7)
    volumes = [cells(SHAPE, seed) + rng.normal(0, 20, SHAPE) for seed in (1, 1, 2)]
    one, similar, other = (volume.astype(np.float32) for volume in volumes)
    for volume in (similar, 3 * similar - 50, other):
        found = scored_ssim(torch.from_numpy(np.stack([volume, one])), torch.from_numpy(np.stack([one, one])))
        assert float(found) == pytest.approx((ssim(volume, one) + 1) / 2, abs=1e-4)


def test_ours_begins_with_what_its_ridge_regression_says():
    method, _ = lively("ours", 1)
    network, view = method.network().eval(), recorded_view((16, 32, 32))
    known = whole(view)
    seen = features(view, tuple((0, n) for n in view.photons.shape), known)
    ridge = known.scale * ridge_answer(method.ridge, seen, view.photons.shape)
    answer = method._restored(network, view, torch.device("cpu"))
    # Two other estimates have a weight of 2 % each, and differ from it by about as much as it varies.
    assert np.sqrt(np.mean((answer - ridge) ** 2)) < 0.05 * ridge.std()
    assert method.channels == methods.load("fusion", "ours", {"ridge_views": 0}).channels + 1


def test_a_network_taught_a_noisy_target_can_answer_the_view_itself():
    """It weighs estimates and view: with all the weight on the view that is the answer, noise and all."""
    method, network = lively("ours", 1, target="fused")
    view = recorded_view((16, 32, 32))
    with torch.no_grad():
        for p in network.cells.head.parameters():
            p.zero_()
        network.cells.head.bias.view(-1, 4)[1] = 50.0  # of the first estimate, in each voxel of a cell
    answer = method._restored(network, view, torch.device("cpu"))
    np.testing.assert_allclose(answer, view.photons, rtol=1e-4, atol=1e-3)


def test_a_network_of_two_views_sees_both_and_asks_for_them():
    method, network = lively("unet3d_2view", 2)
    view, device = recorded_view((16, 32, 32), 2), torch.device("cpu")
    usual = method._restored(network, view, device)
    other = method._restored(network, view._replace(others=view.others[:, ::-1]), device)
    assert np.abs(other - usual).max() > 1e-2 * np.ptp(usual)
    with pytest.raises(ValueError, match="1 were found, 2 were expected"):
        method._restored(network, recorded_view((16, 32, 32)), device)


def test_a_part_of_two_views_is_seen_by_its_own_optics():
    view, box = recorded_view((16, 32, 60), 2), ((0, 16), (4, 20), (24, 60))
    known = whole(view)
    everywhere, of_part = (
        network_inputs.stacked(network_inputs.further(one, known), one.photons.shape) for one in (view, part(view, box))
    )
    np.testing.assert_allclose(of_part, everywhere[:, :, 4:20, 24:], rtol=1e-6)


def test_attention_reaches_as_far_as_it_says():
    """Of one block, and no further: along each axis."""
    from blurbench.fusion.attention import FURTHEST, AxialAttention

    torch.manual_seed(0)
    block, x = AxialAttention(8).eval(), torch.rand(1, 8, 9, 9, 16)
    changed = x.clone()
    changed[..., 0] += torch.rand(8, 9, 9)
    with torch.no_grad():
        moved = (block(changed) - block(x)).abs().amax((0, 1, 2, 3))
    assert moved[: FURTHEST + 1].min() > 1e-6 and moved[FURTHEST + 1 :].max() == 0


def test_adapting_to_a_view_explains_it_better_and_leaves_the_network_as_it_was():
    method, network = lively("unet3d_physics", 1, adapt_steps=5, patch_px=[16, 32, 32])
    view, device = recorded_view((16, 32, 32)), torch.device("cpu")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    box, known = tuple((0, n) for n in view.photons.shape), whole(view)
    light, noise = (torch.from_numpy(np.stack([one])) for one in method.seen(view, box, known))
    x = batch(network_inputs.stacked(method.inputs(view, box, known), view.photons.shape))

    def left_over(answer):
        return float(method._unexplained(batch(answer / known.scale), x, light, noise))

    adapted = method._restored(network, view, device)
    assert all((value == before[name]).all() for name, value in network.state_dict().items())
    method.adapt_steps = 0
    assert left_over(adapted) < left_over(method._restored(network, view, device))
