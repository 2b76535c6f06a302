"""The machine that a run was computed on. Neither host names nor paths: the description is published."""

import os
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path

TREE = Path(__file__).parents[3]  # this library's
COMPUTES = ("Snakefile", "rules", "scripts", "src")  # of the repository; the configuration is kept with the tables


def describe() -> dict:
    """CPU model, cores of this job, memory in GB, GPU, kernel, Python, CUDA, package versions and git commit.

    What cannot be found out is None.
    """
    import torch  # slow to import, and nothing else here needs it

    gpu = torch.cuda.is_available()
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(_memory() / 1e9, 1) if _memory() else None,
        "gpu": torch.cuda.get_device_name(0) if gpu else None,
        "gpus": torch.cuda.device_count() if gpu else 0,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "packages": dict(sorted((d.name, d.version) for d in distributions() if d.name)),
        "commit": commit(),
    }


def _cpu_model():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def commit(tree: Path = TREE) -> str | None:
    """Commit of a working tree, with "+" if what computes differs from it; None outside a repository or without git.

    A file that git does not know counts too, such as a new method's, but not one that it is told to ignore.
    """
    try:
        head, edited = (_git(tree, *one) for one in (("rev-parse", "HEAD"), ("status", "--porcelain", "--", *COMPUTES)))
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + "+" * bool(edited)


def _git(tree, *arguments):
    command = ["git", "-C", str(tree), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
