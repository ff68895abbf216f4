import os
from pathlib import Path

import pytest

# before LightGBM loads: its threads otherwise spin beside another busy process
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import small_crm

BESIDE = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, outside the project (set LEADML_DATA to move it)."""
    folder = Path(os.environ.get("LEADML_DATA", BESIDE))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not there: {folder} (set LEADML_DATA)")
    return folder


@pytest.fixture(scope="session")
def crm(tmp_path_factory) -> Path:
    """A folder with 400 simulated leads, `leadml.toml` and `rules.toml`."""
    folder = tmp_path_factory.mktemp("crm")
    small_crm.write_crm(folder, small_crm.make_leads())
    return folder


@pytest.fixture(scope="session")
def training(crm):
    """A small additive training on the leads of `crm`."""
    from leadml.batch import check_book
    from leadml.config import load_config
    from leadml.training import train

    config = load_config(crm / "leadml.toml")
    book = check_book(crm / "rules.toml", config)
    return train(config, rules=book, name="small", structure="additive")


@pytest.fixture(scope="session")
def model_folder(crm, training) -> Path:
    """The model folder of `training`; a test that changes it takes a copy."""
    from leadml.publishing import write_training

    return write_training(training, crm / "small", rules_text=small_crm.RULES)
