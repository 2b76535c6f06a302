"""Debian's packages, for tests of what lies outside Python: installed as root where they are missing, and kept."""

import os
import shutil
import subprocess


class Unavailable(Exception):
    """What a test needs cannot be had on this machine; the message says why."""


def require():
    """Raise `Unavailable` unless this is root on Debian."""
    if os.geteuid() != 0:
        raise Unavailable("only root can install what it needs")
    if not shutil.which("apt-get"):
        raise Unavailable("needs Debian: there is no apt-get")


def install(*packages):
    """Install what is missing."""
    require()
    if answers("dpkg", "--status", *packages):
        return
    # Debian starts services that it installs, where there is an init system; these would be in the way.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["update"], ["install", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", "--yes", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise Unavailable(f"apt-get {command[0]} failed: {' '.join(done.stdout.split())[-300:]}")


def answers(*command):
    """Whether a command succeeds, within 10 s."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run(command, timeout=10, **quiet).returncode == 0
    except subprocess.TimeoutExpired:
        return False
