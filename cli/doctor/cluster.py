"""The Dask cluster that trainings are computed on, where the settings name one."""

from cli.doctor.examination import CheckResult, ok
from shared.settings import Settings
from shared.training.cluster.address import ClusterAddress, check_cluster

_SECONDS = 3.0


def check_dask(settings: Settings) -> CheckResult:
    """Whether it answers, and computes with what is installed here.

    Raises:
        WrongSettings: when Dask is not installed here, or a file of the certificates cannot be used.
        DaskUnreachable: when it does not answer, or has no workers.
        DaskWorkersDiffer: when it computes with other releases.
    """
    from shared.training.cluster.joining import joined, workers_joined

    check_cluster(settings)
    address = ClusterAddress.named_in(settings)
    with joined(address, lambda _line: None, seconds=_SECONDS):
        return ok("Dask", f"{settings.dask_scheduler}: {workers_joined()} with the releases of this machine")
