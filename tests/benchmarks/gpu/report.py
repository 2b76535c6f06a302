"""What was found: a line when a piece is done, and a section for docs/performance.md of all of them."""

import trainings


def line(piece, found):
    """What was found of one piece."""
    if piece.kind == "agreement":
        told = f"{_short(found['difference'])} apart, {_short(found['tolerance'])} allowed"
    elif piece.kind == "throughput":
        shares = f"waiting {_share(found['waiting'])}, busy {_share(found['busy'])}"
        told = f"{_short(found['items_per_s'])} items/s, {shares}"
    elif piece.kind == "dataset":
        told = ", ".join(f"{n} of {found['stated'][split]} {split} items" for split, n in found["items"].items())
    else:
        told = f"{found['items']} items in {_short(found['training_s'])} s, loss {_short(found['validation_loss'])}"
    return f"{piece}: {told}" + ("" if found.get("agree", True) else ": THEY DO NOT AGREE")


def write(path, plan, about, failed):
    """Write the section.

    Parameters
    ----------
    path : Markdown file
    plan : Plan
    about : of the machine, the configuration and the library
    failed : {piece: why}, of this session
    """
    host = f"{about['cpu']}, {about['cores']} cores"
    cuda = f" with CUDA {about['cuda']}" if about["gpu"] else ""
    layer = f" with {about['layer']} over it" if about["layer"] else ""
    cut = " Numbers of items are cut to what fitted the minutes." if plan.cuts else ""
    parts = [
        f"## {about['gpu'] or host}",
        f"torch {about['torch']}{cuda}, Python {about['python']}; {host}, {about['memory_gb']} GB. "
        f"Configuration: config/config.yaml{layer}.{cut} Library: {about['library'].split()[0]}.",
        "### Agreement" if about["gpu"] else "### Agreement (no GPU: of the CPU with itself)",
        _table("network, numbers, layers, largest difference, allowed, agree", _agreement(plan)),
        "### Throughput, of data in memory",
        _table("training, items/s, ms a step, batch, waiting for data, GPU busy, GPU MB", _throughput(plan)),
        "### Trainings, of a store",
        _table("dataset, training items, validation items, s to simulate", _datasets(plan)),
        _table("training, items, s, items/s, waiting for data, least validation loss", _trainings(plan)),
        *(f"Failed: {name}: {why}" for name, why in failed.items()),
    ]
    if missing := sum(piece.read() is None for piece in plan.pieces):
        parts.append(f"{missing} of {len(plan.pieces)} pieces are not done yet.")
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _agreement(plan):
    for piece, f in _done(plan.agreement):
        apart = [_short(f[name]) for name in ("difference", "tolerance")]
        yield piece.name, f["precision"], f["layers"], *apart, "yes" if f["agree"] else "**no**"


def _throughput(plan):
    for piece, f in _done(plan.throughput.values()):
        speed = _short(f["items_per_s"]), _short(1e3 * f["step_s"]), f["batch_size"]
        yield piece.name, *speed, _share(f["waiting"]), _share(f["busy"]), _short(f["gpu_mb"])


def _datasets(plan):
    for piece, f in _done(plan.datasets.values()):
        yield piece.name, *(f"{f['items'][s]} of {f['stated'][s]}" for s in trainings.SPLITS), _short(f["seconds"])


def _trainings(plan):
    for training, piece in plan.trainings.items():
        if f := piece.read():
            speed = f["items"], _short(f["training_s"]), _short(f["items_per_s"])
            yield piece.name, *speed, _share(f["waiting"]), _short(f["validation_loss"])
        elif step := trainings.reached(plan.files(training)):
            yield piece.name, f"up to step {step}", *[""] * 4


def _done(pieces):
    return ((piece, found) for piece in pieces if (found := piece.read()))


def _table(head, rows):
    names = head.split(", ")
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def _short(value):
    return "not told" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _share(value):
    return "not told" if value is None else f"{value:.0%}"
