"""What the database says against what the store holds, and against itself. It looks, and changes nothing."""

from shared.consistency.difference import Difference, Level
from shared.consistency.examination import Examination

__all__ = ["Difference", "Examination", "Level"]
