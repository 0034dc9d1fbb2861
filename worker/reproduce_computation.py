"""What runs in the computing process of a reproduce job.

In the folder: a `TrainingOrder` and the table; afterwards what the second training found.
"""

from pathlib import Path

from shared.training.cluster.joining import joined
from shared.training.reproducing import repeat
from shared.training.reproduction import Repeated, TrainingOrder
from shared.training.search.placing import libraries_of
from worker.handover import REPRODUCE_FILE, TABLE_FILE
from worker.telling import Telling


def reproduce(folder: Path, telling: Telling) -> Repeated:
    """Train as the `TrainingOrder` says.

    Raises:
        PlatformError: what `trainer.train` raises.
    """
    order = TrainingOrder.model_validate_json((folder / REPRODUCE_FILE).read_bytes())
    telling.show("reading", 5)
    with joined(order.cluster, telling.say, own=order.own, libraries=libraries_of([order.spec])):
        return repeat(order, folder / TABLE_FILE, on_step=telling.show, say=telling.say)
