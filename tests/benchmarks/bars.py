"""What a finished run says about the numbers that the benchmark holds itself to.

    .venv/bin/python tests/benchmarks/bars.py results/laptop

Diffusion: on `report`, our method against every classical one, its spread and its coverage at each D. Colloids: on
`levels`, in dense volumes (phi >= 0.5) of good contrast (CNR >= 3), the best learned method against the classical ones
at each width of the PSF; F1 of chance; recall of the published and the tuned baseline.
"""

import argparse
from pathlib import Path

import numpy as np

from blurbench import colloids, diffusion
from blurbench.scoring.scores import read

RESAMPLES = 10_000


def scores(run, problem, dataset, conditions):
    files = sorted((run / "scores" / problem / dataset).glob("*/*.parquet"))
    return read(files, conditions)[0] if files else None


def row(table, method):
    return int(np.flatnonzero(table.methods.method == method)[0])


def compare(table, metric, reduce, ours, others):
    """Mean of our method and the paired difference from each other one, with its 95 % interval."""
    found = table.replicates(metric, reduce, table.resampling(RESAMPLES, 1))
    print(f"  {metric}: {ours} {found.value[row(table, ours)]:.3f}")
    for other in others:
        pair = found[[row(table, ours)]].combine(np.subtract, found[[row(table, other)]])
        (low,), (high,) = pair.interval()
        value = found.value[row(table, other)]
        print(f"    {other} {value:.3f}, difference {pair.value[0]:+.3f} [{low:+.3f}, {high:+.3f}]")


def report(run):
    table = scores(run, "diffusion", "report", diffusion.PROBLEM.conditions)
    if table is None:
        return
    print(f"diffusion, report, {len(table.items)} stacks")
    classical = table.methods.method[table.methods.kind == "classical"]
    compare(table, "error_ln_d", "rms", "ours", [*classical, "cramer_rao_exact"])
    for D in sorted(set(table.items["D"])):
        part, k = table.take((table.items["D"] == D).to_numpy()), row(table, "ours")
        relative, inside = part.values["relative_d"][k, 0], part.values["inside_95"][k, 0]
        print(f"  D = {D:g}: relative SD {relative.std(ddof=1):.2f}, inside the 95 % interval {inside.mean():.0%}")


def levels(run):
    table = scores(run, "colloids", "levels", colloids.PROBLEM.conditions)
    if table is None:
        return
    items = table.items
    dense = (items["phi"] >= 0.5) & (items["cnr"] >= 3)
    learned = table.methods.method[table.methods.kind == "learned"]
    for width in sorted(set(items["sigma_z_d"])):
        part = table.take((dense & (items["sigma_z_d"] == width)).to_numpy())
        best = max(learned, key=lambda m: np.nanmean(part.values["f1"][row(part, m)]))
        print(f"colloids, levels, phi >= 0.5, CNR >= 3, sigma_z/d = {width:g}, {len(part.items)} volumes")
        compare(part, "f1", "mean", best, ["trackpy", "trackpy_deconvolved", "log"])
        compare(part, "rms_z_d", "rms", best, ["trackpy", "trackpy_deconvolved", "log"])
        z, xy = (part.values[name][row(part, best)] for name in ("rms_z_d", "rms_xy_d"))
        print(f"  rms error per axis: {np.sqrt(np.nanmean((z**2 + 2 * xy**2) / 3)):.3f} d")
    narrow = (items["sigma_z_d"] == items["sigma_z_d"].min()) & (items["cnr"] == items["cnr"].max())
    for phi in sorted(set(items["phi"])):
        all_of, sharp = ((items["phi"] == phi) & only for only in (True, narrow))
        chance = table.take(all_of.to_numpy()).values["f1"][row(table, "chance")]
        part = table.take(sharp.to_numpy())
        recall = {m: np.nanmean(part.values["recall_050"][row(part, m)]) for m in ("trackpy_published", "trackpy")}
        precision = np.nanmean(part.values["precision_050"][row(part, "trackpy")])
        print(
            f"colloids, phi = {phi:g}: F1 of chance {np.nanmean(chance):.3f}; at the narrowest PSF and d/2 recall",
            end=" ",
        )
        print(
            f"{recall['trackpy_published']:.2f} as published, {recall['trackpy']:.2f} tuned, precision {precision:.2f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a finished run, such as results/laptop")
    run = parser.parse_args().run
    report(run)
    levels(run)
