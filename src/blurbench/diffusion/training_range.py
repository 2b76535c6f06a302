"""What in a recording lies outside of what a method was made for, and what its answers mean there.

A network answers anything with a D of its training; a method that goes by a range of D answers with its end. So whoever
is asked beyond says so: as a reason instead of an answer, as a flag of a stack, as an answer that has one side alone.
"""

import numpy as np
import pandas as pd

from blurbench.diffusion.recorded_psf import Width

# Times the photons of its training, beyond which a network has no answer. One of 100 photons is within 10 % of D on
# movies of 92 and 108, with intervals that hold it in 92 to 93 %; on movies of 82 and 118 it is 13 to 24 % off, in 73
# to 85 %, and on those of 300 it finds 0.6 to 0.7 of D, in 25 to 62 % (tests/benchmarks/recording_psf.py).
BRIGHTER = 1.1
NEAR = 1.1  # times the end of a range, up to which an interval that reaches so far is taken to end there
BELOW, ABOVE = "below", "above"


def refusal(stacks, entry: dict) -> str:
    """Why a method cannot answer for a recording at all; empty if it can.

    stacks : Dataset, written by `preparation.prepare`;  entry : as in `running.measurement.answers`
    """
    return _untrained_psf(stacks.spec, entry) or _untrained_photons(stacks.items, entry)


def outside(items: pd.DataFrame, entry: dict) -> pd.Series:
    """What of each stack lies outside of the training of a method, such as "photons, background"; empty if nothing.

    items : of the stacks, with their photons (of the spot, a frame) and background (a pixel and frame)
    """
    found = pd.Series("", items.index)
    if entry["kind"] != "learned":
        return found
    for name in ("photons", "background"):
        low, high = _ends(entry["trained_on"]["imaging"][name])
        beyond = (items[name] < low / BRIGHTER) | (items[name] > high * BRIGHTER)
        found[beyond] += np.where(found[beyond] == "", name, f", {name}")
    return found


def bounds(answer: pd.DataFrame, entry: dict, spec: dict) -> pd.Series:
    """On which side of its answer D may be anywhere, "below" or "above"; empty where the answer has two sides.

    An interval that ends where the method's range of D does has one side: beyond that end the method cannot look. If it
    ends at both, it says that nothing is known. A classical method that knows of no range goes beyond its ends.

    answer : of one method, D with its intervals as the method gave them;  spec : of the dataset whose range holds
    """
    found = pd.Series("", answer.index)
    if "D_lo95" not in answer:
        return found
    learned = entry["kind"] == "learned"
    low, high = map(float, (entry["trained_on"] if learned else spec)["D_um2_s"])
    at_low, at_high = answer["D_lo95"] <= low * NEAR, answer["D_hi95"] >= high / NEAR
    if not learned:
        at_low, at_high = at_low & (answer["D_lo95"] >= low / NEAR), at_high & (answer["D_hi95"] <= high * NEAR)
    found[at_low & ~at_high], found[at_high & ~at_low] = BELOW, ABOVE
    return found


def _untrained_psf(spec: dict, entry: dict) -> str:
    """Why a method cannot answer for the PSF of a recording; empty if it can.

    Learned methods know the widths of their training data, and how well they were told them. Where a recording's is
    known less well, their answers are moved by its error, which shows only if they were trained on different widths.
    """
    if entry["kind"] != "learned":
        return ""
    told, stated, trained = Width(**spec["psf"]["told"]), spec["imaging"]["psf"], entry["trained_on"]["imaging"]["psf"]
    if stated["kind"] != trained["kind"]:
        return f"PSF: {stated['kind']}, trained on {trained['kind']}"
    if trained["kind"] != "gaussian":
        same = all(stated[key] == value for key, value in trained.items())
        return "" if same else f"PSF: another {trained['kind']} than that of the training data"
    low, high = _ends(trained["fwhm_um"])
    if not low * 0.99 <= told.fwhm_um <= high * 1.01:
        return f"PSF: {told.fwhm_um:.3g} um wide, trained on {_words(low, high, '.3g')} um"
    if low == high and told.uncertainty > trained.get("known_to", 0.0):
        return f"PSF: known to {100 * told.uncertainty:.1g} %, trained on one width, known better"
    return ""


def _untrained_photons(items: pd.DataFrame, entry: dict) -> str:
    """Why a method cannot answer for the photons of a recording, whose median in a frame counts; empty if it can."""
    if entry["kind"] != "learned":
        return ""
    found, (low, high) = items["photons"].median(), _ends(entry["trained_on"]["imaging"]["photons"])
    if low / BRIGHTER <= found <= high * BRIGHTER:
        return ""
    return f"photons: {found:.3g} in a frame, trained on {_words(low, high, 'g')}"


def _ends(trained):
    return float(np.min(trained)), float(np.max(trained))


def _words(low, high, digits):
    return f"{low:{digits}}" if low == high else f"{low:{digits}} to {high:{digits}}"
