"""The batch system SLURM on this machine alone: its daemons with their own configuration, files and ports."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=2,bf_interval=2,requeue_delay=0
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes={host} MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
"""
"""One node that claims to have 16 cores, and two partitions: jobs in ``urgent`` interrupt those in ``main``, which start again later.

``cred_expire`` is also the number of seconds that an interrupted job waits before it starts again.
"""


def missing() -> list[str]:
    """Return what this machine lacks to run SLURM."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=PLACES) is None]
    return lacking + ["the rights of root"] * (os.geteuid() != 0)


class NotStartedError(Exception):
    """The daemons do not start on this machine."""


class Slurm:
    """A running batch system.

    Args:
        variables: Environment variables for its commands.

    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = dict(variables)

    def run(self, *command: str, folder: Path | None = None) -> str:
        """Run a command, and return what it prints."""
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.variables, cwd=folder)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout.strip()

    def states(self, job: str) -> list[str]:
        """Return the states of a job, or of all jobs of an array, such as ``RUNNING``; jobs that ended stay known for minutes."""
        text = self.run("scontrol", "show", "job", job, "--oneliner")
        return [word.partition("=")[2] for word in text.split() if word.startswith("JobState=")]

    def wait_for(self, job: str, *wanted: str, seconds: float = 240) -> list[str]:
        """Wait until all states of a job are among those wanted."""
        give_up = time.monotonic() + seconds
        while not set(states := self.states(job)) <= set(wanted):
            assert time.monotonic() < give_up, f"job {job} is {states}: {self.run('scontrol', 'show', 'job', job)}"
            time.sleep(0.3)
        return states


@contextmanager
def slurm() -> Iterator[Slurm]:
    """Start the daemons of a batch system, and stop them in the end."""
    folder = Path(tempfile.mkdtemp(prefix="bmz-slurm-"))
    folder.chmod(0o755)  # all programs reach the socket of munge
    for name, mode in {"munge": 0o755, "state": 0o755, "spool": 0o755, "secret": 0o700}.items():
        (folder / name).mkdir()
        (folder / name).chmod(mode)
    host = socket.gethostname().partition(".")[0]
    control_port, node_port = _free_ports(2)
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(host=host, folder=folder, control_port=control_port, node_port=node_port))
    variables = {**os.environ, "PATH": PLACES, "SLURM_CONF": str(config)}
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        key = folder / "secret" / "key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        munge = ("--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge/socket", f"--pid-file={folder}/munge.pid")
        files = (f"--log-file={folder}/munge.log", f"--seed-file={folder}/secret/seed")
        for command in (("munged", *munge, *files), ("slurmctld", "-D"), ("slurmd", "-D", "-N", host)):
            with (folder / f"{command[0]}.out").open("wb") as out:
                daemons.append(subprocess.Popen(command, env=variables, stdout=out, stderr=out))
            time.sleep(1)
        system = Slurm(variables)
        _wait_until_idle(system, folder)
        yield system
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            daemon.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_until_idle(system: Slurm, folder: Path) -> None:
    """Wait until the node takes jobs."""
    give_up = time.monotonic() + 60
    while True:
        done = subprocess.run(("scontrol", "show", "node", "--oneliner"), capture_output=True, text=True, check=False, env=system.variables)
        if "State=IDLE" in done.stdout:
            return
        logs = {path.name: path.read_text(errors="replace")[-2000:] for path in (*folder.glob("*.log"), *folder.glob("*.out"))}
        if time.monotonic() >= give_up:
            raise NotStartedError(f"no node takes jobs after a minute: {done.stdout} {done.stderr} {logs}")
        time.sleep(0.5)
