import os
from pathlib import Path

import pytest

# before LightGBM loads: its threads otherwise spin beside another busy process
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

BESIDE = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, outside the project (set LEADML_DATA to move it)."""
    folder = Path(os.environ.get("LEADML_DATA", BESIDE))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not there: {folder} (set LEADML_DATA)")
    return folder
