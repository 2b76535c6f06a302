"""Images and containers for the tests of the Dockerfile, by Debian's buildah and without a daemon.

What runs is confined by chroot and namespaces alone, which works as root inside a container too. Images, containers and
what else is needed lie in one folder, which goes with the `with` block.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from debian import Unavailable, answers, install

PACKAGES = ["buildah", "debootstrap"]
SUITE = "bookworm"  # whose Python is
PYTHON = (3, 11)


class Buildah:
    """Buildah, with its images in a folder of its own."""

    def __init__(self):
        self.folder = None

    def __enter__(self):
        if sys.version_info[:2] != PYTHON:
            raise Unavailable("wheels are made by the Python at hand, and the base has {}.{}".format(*PYTHON))
        install(*PACKAGES)
        if not answers("unshare", "--mount", "--net", "true"):
            raise Unavailable("no namespace of mounts can be made here")
        self.folder = Path(tempfile.mkdtemp(prefix="blurbench-container-"))
        self.folder.chmod(0o755)  # containers run as somebody else
        places = ["--root", str(self.folder / "storage"), "--runroot", str(self.folder / "runroot")]
        self.storage = ["--storage-driver", "overlay", *places]
        if not answers(*self.command("info")):  # as on some file systems; then each layer is a whole copy, of gigabytes
            self.storage = ["--storage-driver", "vfs", *places]
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def command(self, *arguments, network=True):
        """The words of a call; what it mounts ends with it, however it ends."""
        return ["unshare", "--mount", *([] if network else ["--net"]), "buildah", *self.storage, *map(str, arguments)]

    def __call__(self, *arguments, network=True):
        """What a call says; AssertionError with its words if it fails."""
        return _said(self.command(*arguments, network=network))

    def base(self, name):
        """An image of Debian with its own Python, from Debian's archive."""
        root = self.folder / "debian"
        # Where it is killed, the /proc that it mounts goes with it, before the folder is deleted.
        bootstrap = ["debootstrap", "--variant=minbase", "--include=python3,python3-venv", SUITE, root]
        done = subprocess.run(
            ["unshare", "--mount", *bootstrap], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode:
            raise Unavailable(f"debootstrap failed: {' '.join((done.stdout + done.stderr).split())[-300:]}")
        container = self("from", "scratch")
        self("add", "--quiet", container, root, "/")
        self("commit", "--quiet", "--rm", container, name)
        shutil.rmtree(root)

    def run_words(self, container, folder, *command, user="0:0", volumes=()):
        """The words of a call that runs a command in a container, with folders of the outside mounted there."""
        options = ["--isolation", "chroot", "--user", user, "--workingdir", folder]
        return self.command("run", *options, *(f"--volume={one}" for one in volumes), container, "--", *command)

    def run(self, *arguments, **options):
        """What a command says that is run in a container; AssertionError with its words if it fails."""
        return _said(self.run_words(*arguments, **options))


def _said(command):
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}"
    return done.stdout.strip()
