"""Least-squares refinement of all spheres of a volume at once, in the model that the images are made by.

The photons expected of spheres and background, blurred and bleached, are compared with the image, each voxel weighted
by its noise. Spheres are drawn sharp and blurred together, so the cost does not grow with the width of the
point-spread function. Steps are Newton's with the normal matrix of spheres in an unbounded volume, whose entries are
derivatives of the autocorrelation of one blurred sphere; the gradient is exact, and so is where it vanishes.

Indices and lengths are in voxels, axes z, y, x.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy import ndimage, sparse
from scipy.sparse.linalg import LinearOperator, cg
from scipy.spatial import cKDTree

from blurbench.colloids.imaging import draw_spheres
from blurbench.microscopy.deconvolution import convolved
from blurbench.microscopy.psf import Psf
from blurbench.microscopy.separable import correlated

SEEN = 2.5  # SDs of the point-spread function beyond which two spheres do not overlap, and light from outside is lost
STEPS = 10
FIRST, LONGEST = 0.05, 0.2  # diameters: about the length of the first step and the longest where the image says little
SOFTNESS = 0.01  # diameters: SD of the overlap of two spheres
DONE = 0.005  # of the cost, per unknown: a step that gains no more is the last
OUTSIDE_STEPS = 6
# Variance of the light from outside, per voxel, over that of as many spheres placed independently. They repel each
# other, which leaves little of it at long wavelengths, and the blur leaves nothing at short ones.
ORDERED = 0.3


class Scene(NamedTuple):
    """What is known beside the places of the spheres; intensities in photons per voxel.

    contrast : of a sphere above the background, mean over spheres;  contrast_sd : its SD over spheres
    background, read_noise
    kept : (z,) share of the light that bleaching leaves each slice
    psf : Psf
    phi : volume fraction
    """

    contrast: float
    contrast_sd: float
    background: float
    read_noise: float
    kept: np.ndarray
    psf: Psf
    phi: float


def true_scene(volume):
    """Centres (n, 3) and radii (n,) in voxels of the true spheres of an `items.Volume`, and its Scene."""
    truth = volume.truth
    contrast = truth.brightness - truth.background
    scene = Scene(
        contrast=contrast,
        contrast_sd=max(truth.brightness_sd, 1e-3) * contrast,
        background=truth.background,
        read_noise=truth.read_noise,
        kept=truth.kept,
        psf=volume.psf,
        phi=truth.phi,
    )
    centres, diameters = truth.centres_um.astype(float), truth.diameters_um.astype(float)
    return centres / volume.voxel_um, diameters / volume.voxel_um / 2, scene


@njit(cache=True, nogil=True)
def _project(field, centres, radii, amplitudes, out):
    """Sums of a field over the derivatives of each sphere by its centre and its amplitude, out (n, 4).

    Of spheres as `imaging.draw_spheres` draws them: a ramp of one voxel about the surface.
    """
    for n in range(len(centres)):
        z, y, x = centres[n, 0], centres[n, 1], centres[n, 2]
        surface = radii[n] - 1.0 / (12.0 * radii[n])
        reach = surface + 0.5
        out[n] = 0.0
        for i in range(max(0, math.ceil(z - reach)), min(field.shape[0] - 1, math.floor(z + reach)) + 1):
            for j in range(max(0, math.ceil(y - reach)), min(field.shape[1] - 1, math.floor(y + reach)) + 1):
                for k in range(max(0, math.ceil(x - reach)), min(field.shape[2] - 1, math.floor(x + reach)) + 1):
                    distance = math.sqrt((i - z) ** 2 + (j - y) ** 2 + (k - x) ** 2)
                    share = reach - distance
                    if share <= 0.0:
                        continue
                    value = field[i, j, k]
                    out[n, 3] += value * min(share, 1.0)
                    if share < 1.0:
                        slope = amplitudes[n] * value / distance
                        out[n, 0] += slope * (i - z)
                        out[n, 1] += slope * (j - y)
                        out[n, 2] += slope * (k - x)


class Model:
    """Photons expected of spheres in a volume, and sums over their derivatives.

    Parameters
    ----------
    shape : of the volume;  diameter : mean;  scene : Scene
    """

    def __init__(self, shape, diameter, scene):
        self.shape, self.diameter, self.scene = np.array(shape), diameter, scene
        # Spheres that touch the volume reach a diameter out of it; light from beyond them is seen inside.
        self.pad = np.ceil(np.maximum(diameter + 1, diameter / 2 + SEEN * scene.psf.sigma)).astype(int)
        self.inner = tuple(slice(p, p + n) for p, n in zip(self.pad, shape))
        self.kept = scene.kept[:, None, None].astype(np.float32)

    def spheres(self, centres, radii, amplitudes):
        """Spheres without blur on the canvas, which is the volume and `pad` voxels around it."""
        canvas = np.zeros(self.shape + 2 * self.pad, np.float32)
        nowhere = np.full(3, 1e9)  # the period of the packing that draw_spheres allows for
        draw_spheres(canvas, -self.pad, centres, radii, amplitudes, nowhere, self.shape)
        return canvas

    def expected(self, canvas):
        """Photons in the volume, of what stands on the canvas and of the background."""
        return self.kept * (self.blurred(canvas) + np.float32(self.scene.background))

    def blurred(self, canvas):
        """What the volume shows of a canvas under the point-spread function alone."""
        if self.scene.psf.image is not None:
            return convolved(canvas, self.scene.psf, "constant")[self.inner]
        for axis in (2, 1, 0):  # cropped at once, and the longest profile last, when least is left
            canvas = correlated(canvas, self.scene.psf.profiles[axis], axis, -self.pad[axis])
        return canvas

    def transposed(self, field):
        """The transpose of `expected`, its background apart: from the volume to the canvas."""
        field = self.kept * field
        if self.scene.psf.image is not None:
            canvas = np.pad(field, [(p, p) for p in self.pad])
            return convolved(canvas, self.scene.psf, "constant", transposed=True)
        for axis in (0, 1, 2):
            field = correlated(field, self.scene.psf.profiles[axis], axis, self.pad[axis])
        return field

    def slopes(self, field, centres, radii, amplitudes):
        """Sums of a field in the volume over the derivatives of the photons by each centre and amplitude, (n, 4)."""
        out = np.empty((len(centres), 4))
        _project(self.transposed(field), centres + self.pad, radii, amplitudes, out)
        return out

    def outside(self, residual, weight):
        """Light on the canvas of the spheres that do not touch the volume, which the truth does not name.

        Its mean rises from nothing at the faces to that of the volume fraction a diameter beyond (the share of a
        sphere's section whose centre lies more than a radius out). About it, what the residual of the known spheres
        asks for: regularised least squares, by conjugate gradients.
        """
        grid = np.ogrid[tuple(slice(-p, n + p) for p, n in zip(self.pad, self.shape))]
        depth = np.zeros(self.shape + 2 * self.pad, np.float32)
        for index, n in zip(grid, self.shape):
            depth = np.maximum(depth, np.maximum(-index, index - (n - 1)))
        x = np.minimum(depth / np.float32(self.diameter), 1)
        share = np.float32(self.scene.phi) * x**2 * (3 - 2 * x)
        mean = share * np.float32(self.scene.contrast)
        gas = ORDERED * math.pi / 6 * self.diameter**3
        spread = np.sqrt(share * np.float32(gas)) * np.float32(self.scene.contrast)

        def normal(w):
            light = spread * w.reshape(spread.shape)
            return w + (spread * self.transposed(weight * self.kept * self.blurred(light))).ravel()

        residual = residual - self.kept * self.blurred(mean)
        target = (spread * self.transposed(weight * residual)).ravel()
        matrix = LinearOperator((target.size, target.size), normal, dtype=np.float32)
        w, _ = cg(matrix, target, maxiter=OUTSIDE_STEPS, rtol=1e-2)
        return mean + spread * w.reshape(spread.shape)


@lru_cache(maxsize=8)
def _overlaps(diameter, psf, bins):
    """Tables over displacements of the autocorrelation A of a blurred sphere and of its derivatives.

    Returns
    -------
    (10, *bins) float32: -A'' (zz, yy, xx, zy, zx, yx), A' (z, y, x), A; displacement 0 in the middle
    """
    canvas = np.zeros(bins, np.float32)
    middle = np.array(bins) // 2
    draw_spheres(canvas, -middle, np.zeros((1, 3)), np.array([diameter / 2]), np.ones(1), np.full(3, 1e9), middle)
    k = [2 * np.pi * np.fft.fftfreq(n) for n in bins[:2]] + [2 * np.pi * np.fft.rfftfreq(bins[2])]
    k = np.meshgrid(*k, indexing="ij", sparse=True)
    power = np.abs(np.fft.rfftn(canvas)) ** 2 * np.exp(-sum((s * q) ** 2 for s, q in zip(psf, k)))
    pairs = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    factors = [k[a] * k[b] for a, b in pairs] + [1j * q for q in k] + [1.0]
    tables = [np.fft.fftshift(np.fft.irfftn(power * f, s=bins, axes=(0, 1, 2))) for f in factors]
    return np.stack(tables).astype(np.float32)


def normal_matrix(centres, amplitudes, weights, diameter, psf_sd):
    """Normal matrix of all centres and amplitudes in an unbounded volume, the PSF taken for a Gaussian.

    Parameters
    ----------
    centres : (n, 3);  amplitudes : (n,);  weights : (n,), inverse variance of a voxel near each sphere
    diameter : mean;  psf_sd : (3,)

    Returns
    -------
    sparse (4n, 4n), the unknowns of each sphere being z, y, x, amplitude
    """
    reach = np.ceil(diameter + 1 + SEEN * 2**0.5 * np.asarray(psf_sd)).astype(int)
    bins = tuple((2 * (reach // 4 + 1) * 4).tolist())
    tables = _overlaps(float(diameter), tuple(map(float, psf_sd)), bins)
    near = cKDTree(centres / reach).query_pairs(1.0, p=np.inf, output_type="ndarray")
    i = np.r_[np.arange(len(centres)), near[:, 0], near[:, 1]]
    j = np.r_[np.arange(len(centres)), near[:, 1], near[:, 0]]
    at = (centres[j] - centres[i] + np.array(bins) // 2).T
    zz, yy, xx, zy, zx, yx, z, y, x, a = (ndimage.map_coordinates(t, at, order=1, mode="nearest") for t in tables)
    first, second = amplitudes[i], amplitudes[j]
    blocks = np.empty((len(i), 4, 4))
    for p, row in enumerate(((zz, zy, zx), (zy, yy, yx), (zx, yx, xx))):
        for q, value in enumerate(row):
            blocks[:, p, q] = value * first * second
    for p, slope in enumerate((z, y, x)):
        # A(c_j - c_i) grows as sphere j moves along A', and as sphere i moves against it.
        blocks[:, 3, p], blocks[:, p, 3] = slope * second, -slope * first
    blocks[:, 3, 3] = a
    blocks *= np.sqrt(weights[i] * weights[j])[:, None, None]
    order = np.lexsort((j, i))
    rows = np.searchsorted(i[order], np.arange(len(centres) + 1))
    return sparse.bsr_array((blocks[order], j[order], rows), shape=(4 * len(centres),) * 2)


def contacts(centres, radii, softness):
    """Penalty of overlapping spheres: half the sum of (overlap / softness)², overlaps being 0 where there is a gap.

    Returns
    -------
    the penalty, minus its gradient by the centres (n, 3), and its Gauss-Newton matrix, sparse (4n, 4n), its unknowns
    those of `normal_matrix`
    """
    n = len(centres)
    i, j = cKDTree(centres).query_pairs(2 * radii.max(), output_type="ndarray").T
    apart = centres[i] - centres[j]
    distance = np.maximum(np.linalg.norm(apart, axis=1), 1e-9)
    overlap = (radii[i] + radii[j] - distance) / softness
    i, j, way, overlap = (v[overlap > 0] for v in (i, j, apart / distance[:, None], overlap))
    push = way * overlap[:, None] / softness
    slope = np.zeros((n, 3))
    np.add.at(slope, i, push)
    np.add.at(slope, j, -push)
    # One row a pair: how its overlap changes with the centres of both.
    rows = np.repeat(np.arange(len(i)), 6)
    columns = (4 * np.stack([i, j], axis=1)[:, :, None] + np.arange(3)).ravel()
    change = np.stack([-way, way], axis=1).ravel() / softness
    jacobian = sparse.csr_array((change, (rows, columns)), shape=(len(i), 4 * n))
    return 0.5 * float(overlap @ overlap), slope, jacobian.T @ jacobian


def refine(photons, centres, radii, diameter, scene):
    """Centres and amplitudes that explain a volume best, from a start near them.

    Maximises the posterior under normal noise of known variance, normal amplitudes and spheres that hardly overlap, by
    Levenberg's method: a step that makes the fit worse is tried again, shorter.

    Parameters
    ----------
    photons : (z, y, x);  centres : (n, 3) start, of all spheres that touch the volume;  radii : (n,);  diameter : mean

    Returns
    -------
    centres (n, 3), amplitudes (n,) in photons per voxel
    """
    if not len(centres):
        return centres, np.empty(0)
    model = Model(photons.shape, diameter, scene)
    amplitudes = np.full(len(centres), float(scene.contrast))
    drawn = model.expected(model.spheres(centres, radii, amplitudes))
    weight = (1 / (np.maximum(drawn, 1e-3 * scene.contrast) + scene.read_noise**2)).astype(np.float32)
    beyond = model.outside(photons - drawn, weight)
    at = np.clip(np.rint(centres), 0, np.array(photons.shape) - 1).astype(int)
    near = weight[tuple(at.T)] * scene.kept[at[:, 0]] ** 2
    fixed = normal_matrix(centres, amplitudes, near, diameter, scene.psf.sigma).tocsr()
    fixed += sparse.diags_array(np.tile([0, 0, 0, scene.contrast_sd**-2], len(centres)))

    def compare(centres, amplitudes):
        residual = photons - model.expected(model.spheres(centres, radii, amplitudes) + beyond)
        penalty, push, stiffness = contacts(centres, radii, SOFTNESS * diameter)
        strange = (amplitudes - scene.contrast) / scene.contrast_sd
        cost = 0.5 * float(np.sum(weight * residual**2, dtype=float)) + 0.5 * float(strange @ strange) + penalty
        return cost, residual, push, stiffness

    cost, residual, push, stiffness = compare(centres, amplitudes)
    slope, reach = None, FIRST * diameter
    for _ in range(STEPS):
        if slope is None:
            slope = model.slopes(weight * residual, centres, radii, amplitudes)
            slope[:, :3] += push
            slope[:, 3] -= (amplitudes - scene.contrast) / scene.contrast_sd**2
        damping = sparse.diags_array(np.tile([reach**-2] * 3 + [0], len(centres)))
        step = _solve(fixed + stiffness + damping, slope.ravel()).reshape(-1, 4)
        tried = centres + step[:, :3], amplitudes + step[:, 3]
        new = compare(*tried)
        if new[0] < cost:
            gain = cost - new[0]
            (centres, amplitudes), (cost, residual, push, stiffness), slope = tried, new, None
            reach = min(2 * reach, LONGEST * diameter)
            if gain < DONE * step.size:
                break
        else:
            reach /= 3
    return centres, amplitudes


def _solve(matrix, right):
    """Solution of a symmetric positive system, close enough for a step."""
    scale = matrix.diagonal() ** -0.5
    scaled = (sparse.diags_array(scale) @ matrix @ sparse.diags_array(scale)).tocsr()
    return scale * cg(scaled, scale * right, rtol=1e-2, maxiter=200)[0]
