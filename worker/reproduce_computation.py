"""What runs in the computing process of a reproduce job.

In the folder: a `ReproduceWork` and the table; afterwards what the second training found.
"""

from pathlib import Path

from shared.estimators.catalogue import know_own
from shared.tables.loading import read_table
from shared.training.plan import read_columns
from shared.training.reproducing import train_again
from shared.training.reproduction import Repeated
from worker.handover import REPRODUCE_FILE, TABLE_FILE, ReproduceWork
from worker.telling import Telling


def reproduce(folder: Path, telling: Telling) -> Repeated:
    """Train as the `ReproduceWork` says.

    Raises:
        PlatformError: what `trainer.train` raises.
    """
    work = ReproduceWork.model_validate_json((folder / REPRODUCE_FILE).read_bytes())
    know_own(work.own)
    telling.show("reading", 5)
    only = read_columns(work.spec, work.columns)
    table = read_table(folder / TABLE_FILE, work.reading, columns=work.columns, only=only)
    return train_again(
        work.spec,
        table,
        work.columns,
        work.golden,
        findings=work.findings,
        threads=work.threads,
        on_step=telling.show,
        say=telling.say,
    )
