"""One session: the pieces in their order; what is done stays as it is, the others are done as far as the minutes go."""

import contextlib
import hashlib
import json
import sys
import traceback
from pathlib import Path

import yaml
from library import state
from pieces import Clock, OutOfTime
from plan import Plan
from report import line, write

from blurbench.learning.device import find_device
from blurbench.planning.configuration import expand
from blurbench.planning.faults import ConfigurationError
from blurbench.planning.merging import merged
from blurbench.running import machine

ROOT = Path(__file__).parents[3]
SHOWN = "gpu", "cpu", "cores", "memory_gb", "python", "torch", "cuda"  # of the machine


def run(minutes, layer, out):
    """Do what fits into the minutes; returns 1 if a piece failed or a network does not agree, else 0."""
    clock, device, facts = Clock(minutes), find_device("auto"), machine.describe()
    if layer is None and device.type == "cpu":
        layer = ROOT / "config/smoke.yaml"
        print("No GPU here: this is a rehearsal with config/smoke.yaml, and its figures mean nothing.")
    try:
        config = expand(_read(ROOT / "config/config.yaml", layer))
    except ConfigurationError as error:
        sys.exit(str(error))
    digest = hashlib.blake2b(json.dumps(config).encode(), digest_size=8).hexdigest()
    about = {name: facts[name] for name in SHOWN}
    about |= {"layer": layer.name if layer else None, "configuration": digest, "library": state()}
    out.mkdir(parents=True, exist_ok=True)
    _refuse_another(out / "session.json", about)

    threads, failed, left = min(config["threads"]["train"], facts["cores"]), {}, 0
    plan = Plan(config, layer is None, ROOT / "tests", out, device, threads, clock)
    for piece in plan.pieces:
        why = None if piece.read() else _done(piece, clock, out / "log.txt", failed)
        write(out / "performance.md", plan, about, failed)  # each time, as the session may be killed
        found = piece.read()
        left += not found
        print(line(piece, found) if found else f"{piece}: {why}", flush=True)
    print(f"{left} pieces are left: the same command goes on with them." if left else "All pieces are done.")
    print(f"{out / 'performance.md'} is a section for the end of docs/performance.md.")
    return int(bool(failed) or any((piece.read() or {}).get("agree") is False for piece in plan.agreement))


def _done(piece, clock, log, failed):
    """Do a piece if the time left holds it; returns why it was not done, if so."""
    needs = piece.needs()
    if isinstance(needs, str):
        return needs
    if needs > (seconds := max(clock.left(), 0)) or not seconds:
        return f"it takes {needs:.0f} s, {seconds:.0f} s are left"
    try:
        with log.open("a", encoding="utf-8") as file, contextlib.redirect_stderr(file):
            print(f"== {piece}", file=file)
            try:
                piece.do()
            except Exception:
                traceback.print_exc()
                raise
    except OutOfTime:
        return "the minutes ended within it"
    except Exception as error:  # a piece that fails costs no other
        failed[str(piece)] = f"{type(error).__name__}: {error}"
        return f"FAILED, {failed[str(piece)]}; {log} holds more"


def _read(path, layer):
    """Content of a configuration file, with that of a layer over it if there is one."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    return merged(config, yaml.safe_load(layer.read_text(encoding="utf-8"))) if layer else config


def _refuse_another(path, about):
    """End the session if the folder holds figures of another machine, configuration or version of the library."""
    if not path.exists():
        path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    before = json.loads(path.read_text(encoding="utf-8"))
    for name, value in about.items():
        if before.get(name) != value:
            sys.exit(f"{path}: {name}: found {before.get(name)!r}, expected {value!r}. Name another folder (OUT).")
