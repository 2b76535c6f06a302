"""A Slurm of one node for the tests of the profile, out of Debian's packages and without systemd.

    PYTHONPATH=tests python tests/slurm/cluster.py      brings it up, shows it, and takes it down at Ctrl-C

It claims 8 CPUs, 32 GB and two GPUs whatever the machine has, in the partitions `cpu` and `gpu`. Memory and time limits
are enforced, and sacct works. All that it writes lies in a temporary folder, but for the packages, which stay, and a
link at /etc/slurm/slurm.conf: the plugin clears SLURM_* from a job's environment, so that SLURM_CONF alone would not
reach its srun.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from debian import Unavailable, answers, install, require

LINK = Path("/etc/slurm/slurm.conf")
PREFIX = "blurbench-slurm-"
PACKAGES = ["munge", "slurmctld", "slurmd", "slurm-client", "slurmdbd", "mariadb-server-core"]
NODE = socket.gethostname().split(".")[0]
PATIENCE = 60  # s for a daemon to answer

SLURM = """
ClusterName=test
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthInfo=socket={folder}/munged.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# There may be no cgroups in a container: memory is looked at every 2 s instead, and a step above its own is killed.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=OverMemoryKill
KillWait=5
# sacct keeps what the plugin writes into a job's comment: rule and wildcards.
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports[2]}
AccountingStoragePass={folder}/munged.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
# The node is taken as it is written here, not as it is found.
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
NodeName={node} NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000 Gres=gpu:2
PartitionName=cpu Nodes={node} Default=YES State=UP
PartitionName=gpu Nodes={node} State=UP
"""
# Any device will do: Slurm counts them, nobody opens them.
GRES = "Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n"
DATABASE = """
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={ports[2]}
SlurmUser=root
AuthInfo=socket={folder}/munged.socket
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageLoc=slurm
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
"""


class Cluster:
    """The cluster, up inside a `with` block and down after it, however that ends."""

    def __init__(self):
        self.folder = None
        self.daemons = []

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    def up(self):
        """Install what is missing, start the daemons one after the other, each once the one before it answers."""
        require()
        _clear_remains()
        install(*PACKAGES)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.folder.chmod(0o755)  # munged wants its socket reachable by all
        for name in ("state", "spool", "database"):
            (self.folder / name).mkdir()
        values = {"folder": self.folder, "node": NODE, "ports": _free_ports(3)}
        (self.folder / "slurm.conf").write_text(SLURM.format(**values))
        (self.folder / "gres.conf").write_text(GRES)
        (self.folder / "slurmdbd.conf").write_text(DATABASE.format(**values))
        (self.folder / "slurmdbd.conf").chmod(0o600)
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o600)
        LINK.parent.mkdir(exist_ok=True)
        LINK.symlink_to(self.folder / "slurm.conf")

        f = self.folder
        munge = [f"--{what}-file={f}/munge.{what}" for what in ("key", "seed", "pid", "log")]
        self._start("munged", "--foreground", f"--socket={f}/munged.socket", *munge)
        self._wait_for("munge", "-n", "-S", f"{f}/munged.socket")
        # A database of no users and no network, in an empty folder; without one sacct says nothing.
        self._start(
            *("mariadbd", "--no-defaults", "--user=root", f"--datadir={f}/database", f"--socket={f}/mariadbd.socket"),
            *("--skip-networking", "--skip-grant-tables", "--innodb-lock-wait-timeout=900"),
            f"--pid-file={f}/mariadbd.pid",
        )
        self._wait_for("test", "-S", f"{f}/mariadbd.socket")
        # Named by SLURM_CONF, the daemons look for their other files beside it; found by the link, beside the link.
        conf = {"SLURM_CONF": f"{f}/slurm.conf"}
        self._start("slurmdbd", "-D", MYSQL_UNIX_PORT=f"{f}/mariadbd.socket", **conf)
        self._wait_for("sacctmgr", "-n", "show", "cluster")
        self._start("slurmctld", "-D", **conf)
        self._wait_for("scontrol", "ping")
        self._start("slurmd", "-D", **conf)
        self._wait_for("sh", "-c", '[ "$(sinfo -h -p cpu -o %t)" = idle ]')

    def _start(self, name, *arguments, **environment):
        """A daemon as a child in the foreground, which ends with this process even where that is killed."""
        log = open(self.folder / f"{name}.out", "w")
        self.daemons.append(
            subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", name, *arguments],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which then end the daemons in their order
            )
        )

    def _wait_for(self, *command):
        end = time.monotonic() + PATIENCE
        while not answers(*command):
            if time.monotonic() > end or self.daemons[-1].poll() is not None:
                logs = [path for pattern in ("*.out", "*.log") for path in self.folder.glob(pattern)]
                said = "\n".join(f"{path.name}: {path.read_text()[-500:]}" for path in logs)
                raise RuntimeError(f"no answer to: {' '.join(command)}\n{said}")
            time.sleep(0.2)

    def down(self):
        """End jobs, daemons, folder and link; does what is left to do after a failure."""
        if self.folder is None:
            return
        if len(self.daemons) == 5:
            _end_jobs()
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        if LINK.is_symlink() and LINK.readlink().parent == self.folder:
            LINK.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder, self.daemons = None, []


def _clear_remains():
    """Remove the link and folder of a cluster whose tests were killed; refuse to touch any other Slurm."""
    if LINK.is_symlink() and LINK.readlink().parent.name.startswith(PREFIX):
        if shutil.which("scontrol") and answers("scontrol", "ping"):
            raise Unavailable("another run of these tests has its cluster up")
        shutil.rmtree(LINK.readlink().parent, ignore_errors=True)
        LINK.unlink()
    if LINK.is_symlink() or LINK.exists():
        raise Unavailable(f"{LINK} exists: this machine belongs to a Slurm already")


def _free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _end_jobs():
    """Jobs outlive slurmd: they are cancelled before it goes."""
    for _ in range(30):
        jobs = subprocess.run(["squeue", "-h", "-o", "%A"], capture_output=True, text=True, timeout=20).stdout.split()
        if not jobs:
            return
        subprocess.run(["scancel", *jobs], capture_output=True, timeout=20)
        time.sleep(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Cluster() as cluster:
        print(subprocess.run(["sinfo", "-N", "-l"], capture_output=True, text=True).stdout)
        print(f"up; state and logs in {cluster.folder}; Ctrl-C takes it down", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass
