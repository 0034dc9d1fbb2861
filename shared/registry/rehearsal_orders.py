"""What an upgrade's rehearsal and its computing processes tell each other, as files in a folder."""

from pydantic import BaseModel

from shared.training.pin import ComparedRows, GoldenRows
from shared.training.reproduction import Repeated

ASK_FILE = "ask.json"
TRAIN_FILE = "train.json"
MODEL_FILE = "model.pkl"
TABLE_FILE = "table"
HEARD_FILE = "heard.json"


class AskOrder(BaseModel):
    """A stored model to be loaded, with the digest that was verified, and the rows to ask it about, if any."""

    version: int
    sha256: str
    environment: dict[str, str]
    golden: GoldenRows | None


class Heard(BaseModel):
    """What came of an order, or the problem."""

    rows: ComparedRows | None = None
    repeated: Repeated | None = None
    problem: str | None = None
