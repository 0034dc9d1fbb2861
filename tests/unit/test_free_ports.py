"""The ports that servers of tests get."""

import subprocess
import sys

from tests.support.server import free_ports

# Unless somebody has changed `net.ipv4.ip_local_port_range`.
LOWEST_OUTGOING = 32_768


def test_no_outgoing_connection_can_take_a_port_before_its_server_does() -> None:
    assert max(free_ports(100)) < LOWEST_OUTGOING


def test_two_test_processes_never_get_the_same_port() -> None:
    other = "from tests.support.server import free_ports; print(*free_ports(100))"
    # First, so that both have theirs at the same time.
    ours = free_ports(400)
    theirs = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=True).stdout
    assert len(set(ours)) == 400
    assert not set(ours) & set(map(int, theirs.split()))
