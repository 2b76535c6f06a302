"""Limit: maximum likelihood on the true sub-positions, which no camera shows."""

import numpy as np

from blurbench.diffusion.intervals import from_linear


class OraclePath:
    kind = "limit"
    trains = False

    def predict(self, dataset, model, device):
        pairs = []
        for path, row in zip(dataset.truth["positions"][:], dataset.items.itertuples()):
            frames, substeps = int(row.frames), path.shape[1]
            within = row.exposure_s / substeps
            steps = np.diff(path[:frames].reshape(-1, 2).astype(float), axis=0)
            durations = np.full(len(steps), within)
            durations[substeps - 1 :: substeps] += row.frame_time_s - row.exposure_s
            # Independent Gaussian steps of variance 2Dδ: the maximum is the mean of step²/(2δ).
            D = (steps**2 / (2 * durations[:, None])).mean()
            pairs.append((D, D / np.sqrt(len(steps))))
        return from_linear(*np.array(pairs).reshape(-1, 2).T)
