"""How much of the machine a worker takes."""

import os
from pathlib import Path

import pytest

from shared.machine import Caps, Machine, cgroup_caps, this_machine


def tree(root: Path, files: dict[str, str]) -> Path:
    """A machine that has these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


TREES: dict[str, tuple[dict[str, str], Caps]] = {
    "no control groups": ({}, Caps()),
    "version 2 without caps": (
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n", "sys/fs/cgroup/memory.max": "max\n"},
        Caps(),
    ),
    "version 2 in a container": (
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/memory.max": "2147483648\n",
        },
        Caps(cores=1.5, memory_mb=2048),
    ),
    "version 2, a cap of the group above": (
        {
            "proc/self/cgroup": "0::/system.slice/mlmini.service\n",
            "sys/fs/cgroup/system.slice/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/system.slice/mlmini.service/cpu.max": "max 100000\n",
            "sys/fs/cgroup/system.slice/memory.max": "1073741824\n",
            "sys/fs/cgroup/system.slice/mlmini.service/memory.max": "4294967296\n",
        },
        Caps(cores=2.0, memory_mb=1024),
    ),
    "version 1 without caps": (
        {
            "proc/self/cgroup": "4:memory:/\n1:cpu,cpuacct:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
        Caps(memory_mb=9223372036854771712 // 2**20),
    ),
    "version 1 in a container that sees its path outside": (
        {
            "proc/self/cgroup": "4:memory:/docker/5f0c\n1:cpu,cpuacct:/docker/5f0c\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
        },
        Caps(cores=3.0, memory_mb=512),
    ),
}


@pytest.mark.parametrize(("files", "caps"), TREES.values(), ids=TREES.keys())
def test_the_strictest_cap_of_the_control_groups_holds(tmp_path: Path, files: dict[str, str], caps: Caps) -> None:
    assert cgroup_caps(tree(tmp_path, files)) == caps


def test_this_machine_has_a_core_and_memory() -> None:
    machine = this_machine()
    assert 1 <= machine.cores <= (os.cpu_count() or 1)
    assert machine.memory_mb > 100


@pytest.mark.parametrize(
    ("machine", "slots"),
    [(Machine(8, 32_768), 8), (Machine(8, 9_000), 2), (Machine(1, 32_768), 1), (Machine(4, 1_000), 1)],
)
def test_each_job_that_runs_has_a_core_and_its_memory(machine: Machine, slots: int) -> None:
    assert machine.slots(job_memory_mb=4096) == slots
