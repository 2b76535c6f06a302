"""What the numbers above the columns of the tables mean."""

from blurbench.fusion.score import DEPTHS

TERMS = {
    "N_SSIM": "median over volumes of the part of the similarity which the view lacks that an answer makes up for: 0 "
    "for a copy of the view, 1 for the truth",
    "lower quartile": "of N_SSIM: a quarter of the volumes have less",
    "upper quartile": "of N_SSIM: a quarter of the volumes have more",
    "mean N_SSIM": "mean over volumes, in which a volume that goes wrong counts in full",
    "share below 0": "share of the volumes whose answer is less similar to the target than the view itself",
    "N_SSIM, foreground": "N_SSIM where the target is above Otsu's threshold, with the target's own range",
    "SSIM": "median similarity to the truth itself, 1 at best",
    "PSNR (dB)": "peak signal over noise of the scaled volumes, in decibels",
    "NRMSE": "root mean square error in photons, over the range of the truth",
    "N_IOU, nuclei": "gain, as in N_SSIM, in the overlap of segmented nuclei with those of the truth; not of membranes",
    "s per volume": "seconds that one answer takes on one thread",
    "N_SSIM to the fusion": "N_SSIM with the fusion of all noisy views as the target",
    "mean": "of that N_SSIM over volumes",
    "to the fusion, foreground": "the same in the foreground of that target",
    "N_SSIM to the deconvolution": "N_SSIM with the deconvolution of all noisy views as the target",
    **{f"N_SSIM, {depth}": f"N_SSIM in that third of the planes: {depth}" for depth in DEPTHS},
    **{
        f"resolution, {depth} (µm)": f"shortest period that answer and truth still share, in the third {depth}"
        for depth in DEPTHS
    },
}
