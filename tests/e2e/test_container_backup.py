"""A backup of the containers while they work, and its restore into containers that know nothing yet."""

from pathlib import Path

import pytest

from tests.support.container_calls import ended, predict, train, upload
from tests.support.containers import BUILD_SECONDS, Containers, running_containers
from tests.support.documented import commands_for

pytestmark = [pytest.mark.containers, pytest.mark.timeout(BUILD_SECONDS)]


def test_a_backup_of_running_containers_serves_in_others(tmp_path: Path) -> None:
    (program,) = commands_for("buckets")
    with running_containers() as first:
        first.run(["bash", "-euo", "pipefail", "-c", program.text], cwd=tmp_path)
        dataset = upload(first, "kept")
        ended(first, train(first, dataset))
        answer = predict(first, dataset, "dev")
        assert answer[0] > 0
        listed = {path: first.client.get(path).json() for path in ("/datasets", "/models", "/jobs")}
        run_documented(first, "containers-backup", folder=tmp_path)
    second = Containers()
    try:
        # It ends with the check of rows and objects against each other, which finds nothing.
        run_documented(second, "containers-restore", folder=tmp_path)
        second.up()
        assert predict(second, dataset, "dev") == answer
        assert {path: second.client.get(path).json() for path in listed} == listed
        # The key came along: what the other platform sealed is served, and new models join it.
        assert ended(second, train(second, dataset))["result"]["version"] == answer[0] + 1
    except BaseException as error:
        error.add_note(second.logs())
        raise
    finally:
        second.remove()


def run_documented(containers: Containers, runner: str, *, folder: Path) -> None:
    """Run the commands of the page in these containers."""
    for block in commands_for(runner):
        for command in block.commands:
            line = command.replace("docker compose", " ".join(containers.tool))
            containers.run(["bash", "-euo", "pipefail", "-c", line], seconds=BUILD_SECONDS, cwd=folder)
