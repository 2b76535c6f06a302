"""RMSE of ln D with every cue in the images and with one taken away.

The further a method rises when a cue is taken away, the more it lives on that cue; one that stays level does not use
it. Bars are 95 % intervals over stacks.
"""

import numpy as np
import pandas as pd

from blurbench.diffusion import PROBLEM
from blurbench.drawing import style
from blurbench.drawing.axes import plain_log
from blurbench.drawing.material import Material
from blurbench.drawing.style import CYCLE, KIND_COLOURS, MM
from blurbench.planning.method import KINDS
from blurbench.scoring.scores import RANKED, read

CUES = {"all": "all cues", "no_trajectory": "no trajectory", "no_shape": "no shape", "no_intensity": "no intensity"}


def draw(path, given: Material):
    """One panel per dataset that has others with a cue taken away, with 95 % intervals."""
    scores = {one.dataset: one for one in read(given.scores, PROBLEM.conditions)}
    groups = {}
    for name, spec in given.datasets.items():
        if spec.get("cue") and name in scores and spec["stream"] in scores:
            groups.setdefault(spec["stream"], {"all": scores[spec["stream"]]})[spec["cue"]] = scores[name]
    if not groups:
        return style.empty(path, "no dataset with a cue taken away")
    methods = pd.concat([one.methods for group in groups.values() for one in group.values()])
    methods = (
        methods[methods.kind.isin(RANKED)]
        .drop_duplicates("method")
        .sort_values(
            ["kind", "method"], key=lambda column: column.map(KINDS.index) if column.name == "kind" else column
        )
    )
    names = list(methods.method)
    with style.figure(path, height=(25 + 7 * len(names)) * MM) as drawing:
        axes = drawing.subplots(1, len(groups), sharey=True, squeeze=False)[0]
        for ax, (base, group) in zip(axes, groups.items()):
            for k, cue in enumerate(cue for cue in CUES if cue in group):
                value, low, high = _rmse(group[cue], names, given)
                y = np.arange(len(names)) + 0.2 * (k - 1.5)
                ax.errorbar(
                    *(value, y),
                    xerr=[value - low, high - value],
                    color=CYCLE[(7, 0, 1, 2)[k]],
                    marker="osD^"[k],
                    ls="",
                    elinewidth=0.9,
                    label=CUES[cue],
                )
            plain_log(ax.xaxis)
            ax.set(xlabel="RMSE of ln D (95 % interval)", title=base)
            ax.grid(False, axis="y")
            for row in range(0, len(names), 2):
                ax.axhspan(row - 0.5, row + 0.5, color="0.96", lw=0)
        axes[0].set_yticks(np.arange(len(names)), names)
        axes[0].set_ylim(len(names) - 0.5, -0.5)
        for tick, kind in zip(axes[0].get_yticklabels(), methods.kind):
            tick.set_color(KIND_COLOURS[kind])
        drawing.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)


def _rmse(scores, names, given):
    """RMSE of ln D of the named methods, (value, low, high); NaN for one that is not there."""
    estimates = given.estimate(scores, "error_ln_d", "rms")
    return pd.DataFrame(estimates.T, index=scores.methods.method).reindex(names).to_numpy().T
