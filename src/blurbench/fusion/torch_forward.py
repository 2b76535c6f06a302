"""The microscope on tensors, for losses: what a volume looks like in the view, and how badly that explains the view.

`forward.view` with the share of light that is left given. A Gaussian filter is a matrix along its axis, along z one for
each x, where the sheet has another thickness: so gradients are products with the same matrices, transposed.
"""

import math

import torch

from blurbench.fusion.gaussian import REACH

BORDER = 2  # voxels at the faces that are not asked for: what lies beyond them adds light there
LEAST = 1e-2  # photons, read noise included, that a voxel is taken to have at least


class Forward:
    """What views expect of volumes (n, z, y, x): the share of light that is left, then blur, as `forward.view` has it.

    Volumes may be blurred already, as truths are: they lack what the PSF is wider. Where it is narrower, views lack
    that, and `observed` gives it to them; so both are equally sharp, in noise-free photons the same.

    Parameters
    ----------
    left : (n, z, y, x), share of the light that absorption leaves
    axial_px : (n, x), SD of the PSF along z at each x, in planes;  lateral_px : (n,), along y and x, in voxels
    sharpness_px : (3,), SDs along z, y, x that volumes were blurred by
    """

    def __init__(self, left, axial_px, lateral_px, sharpness_px=(0.0, 0.0, 0.0)):
        self.left = left
        widths = (axial_px, lateral_px, lateral_px)
        beyond = [width.square() - sharp**2 for width, sharp in zip(widths, sharpness_px)]
        sides = left.shape[1:]
        self._lacking = [filters(b.clamp(min=0).sqrt(), n) for b, n in zip(beyond, sides)]
        self._too_sharp = [filters((-b).clamp(min=0).sqrt(), n) for b, n in zip(beyond, sides)]

    def __call__(self, volume):
        """Photons expected in each voxel (n, z, y, x), of volumes in photons."""
        return _filtered(volume * self.left, self._lacking)

    def observed(self, photons):
        """Views (n, z, y, x) that are no sharper than what is expected of them."""
        return _filtered(photons, self._too_sharp)


def filters(sigma_px, n):
    """Gaussian filters of an axis of n voxels as matrices (..., n, n), with its mirror image beyond, as in `gaussian`.

    sigma_px : (...,)
    """
    sigma = sigma_px.clamp(min=1e-6)[..., None]
    reach = math.ceil(REACH * float(sigma.max()))
    at = torch.arange(-reach, reach + 1, device=sigma.device)
    profile = torch.exp(-0.5 * (at / sigma) ** 2)
    profile = profile / profile.sum(dim=-1, keepdim=True)
    place = (torch.arange(n, device=sigma.device)[:, None] + at) % (2 * n)
    place = torch.where(place < n, place, 2 * n - 1 - place)
    shape = (*sigma_px.shape, *place.shape)
    matrices = torch.zeros((*sigma_px.shape, n, n), device=sigma.device)
    return matrices.scatter_add_(-1, place.expand(shape), profile[..., None, :].expand(shape))


def _filtered(volume, matrices):
    """Volumes (n, z, y, x) filtered along z by matrices (n, x, z, z), along y by (n, y, y), along x by (n, x, x)."""
    z, y, x = matrices
    volume = torch.einsum("nxab,nbyx->nayx", z, volume)
    return torch.einsum("nab,nzbx->nzax", y, volume) @ x.transpose(1, 2)[:, None]


def unexplained(volume, photons, forward, read_noise):
    """How badly volumes explain their views: half the deviance of a Poisson law, mean over voxels, (n,).

    Read noise of variance v counts as that of v more photons (Snyder et al. 1993, J. Opt. Soc. Am. A 10:1014). How
    bright a volume is does not count, as absorption is known up to a factor: it is taken as bright as is most likely.

    Parameters
    ----------
    volume : (n, z, y, x) on any scale;  photons : (n, z, y, x) above the dark level
    forward : `Forward` of them;  read_noise : (n,), SD in photons
    """
    voxels, inner = (1, 2, 3), (slice(None), *[slice(BORDER, -BORDER)] * 3)
    expected, seen = forward(volume.clamp(min=0))[inner], forward.observed(photons)[inner]
    factor = seen.sum(voxels).clamp(min=0) / expected.sum(voxels).clamp(min=1e-6)
    factor, variance = (number[:, None, None, None] for number in (factor, read_noise.square()))
    expected = (factor * expected + variance).clamp(min=LEAST)
    seen = (seen + variance).clamp(min=LEAST)
    return (expected - seen + seen * torch.log(seen / expected)).mean(voxels)
