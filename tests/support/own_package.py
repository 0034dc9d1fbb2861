"""The package of the docs, put on the path as an installation leaves it."""

import re
from pathlib import Path

from tests.support.documented import ROOT

PAGE = ROOT / "docs" / "estimators.md"


def install(folder: Path, *, source: str | None = None, module: str = "our_models", release: str = "1.0") -> Path:
    """Leave the module with its entry point in a folder, which belongs on the path."""
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(source or documented_source())
    info = folder / f"{module}-{release}.dist-info"
    info.mkdir()
    name = module.replace("_", "-")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n")
    (info / "entry_points.txt").write_text(f"[mlmini.estimators]\nnearest_mean = {module}:NearestMean\n")
    (info / "RECORD").write_text("")
    return folder


def documented_source() -> str:
    """The code of the package, as the docs show it."""
    found = re.search(r"```python\n# our_models.py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]
