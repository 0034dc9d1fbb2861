"""What runs in a computing process of an upgrade's rehearsal: a stored model is asked again, or trained again.

In the folder: an `AskOrder` and the model, or a `TrainingOrder` and the table; afterwards a `Heard`. It has no key, no
database and no store.
"""

from pathlib import Path

from shared.errors import PlatformError
from shared.registry.artifact import load_fetched
from shared.registry.rehearsal_orders import ASK_FILE, HEARD_FILE, MODEL_FILE, TABLE_FILE, TRAIN_FILE, AskOrder, Heard
from shared.training.fitting import share_of_cores
from shared.training.golden import compare_rows
from shared.training.reproducing import repeat
from shared.training.reproduction import TrainingOrder


def main(folder: Path) -> None:
    """Do what the folder orders."""
    try:
        heard = _ask(folder) if (folder / ASK_FILE).exists() else _train(folder)
    except PlatformError as error:
        heard = Heard(problem=error.detail)
    (folder / HEARD_FILE).write_text(heard.model_dump_json())


def _ask(folder: Path) -> Heard:
    order = AskOrder.model_validate_json((folder / ASK_FILE).read_bytes())
    model = load_fetched(folder / MODEL_FILE, version=order.version, sha256=order.sha256, environment=order.environment)
    if order.golden is None:
        return Heard()
    try:
        with share_of_cores(1):
            return Heard(rows=compare_rows(order.golden, model))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a model of another release may fail in any way
        return Heard(problem=f"It loads, but does not answer: {type(error).__name__}: {error}")


def _train(folder: Path) -> Heard:
    order = TrainingOrder.model_validate_json((folder / TRAIN_FILE).read_bytes())
    return Heard(repeated=repeat(order, folder / TABLE_FILE, on_step=lambda _step, _percent, **_measured: None))
