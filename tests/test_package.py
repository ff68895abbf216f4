import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import leadml

HEAVY = ("pandas", "sklearn", "lightgbm", "mlflow", "matplotlib", "pyarrow", "numpy")
MODULES = [
    module.name
    for module in pkgutil.walk_packages(leadml.__path__, "leadml.")
    if module.name != "leadml.registry.served"  # MLflow runs it; it registers a model
]
FILES = sorted(Path(leadml.__file__).parent.rglob("*.py"))
#: The estimators that `check_estimator` is run on: a new one must get its own checks.
CHECKED = {
    "LeadBoostingClassifier",
    "LeadScorer",
    "LeadValueRegressor",
    "ProfileFeatures",
    "RulePointsClassifier",
}


def loaded_after(code: str) -> set[str]:
    show = "import sys; print(*sys.modules)"
    run = [sys.executable, "-c", f"{code}; {show}"]
    output = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    return set(output.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code", ["import leadml", "import leadml.cli.app", "dir(__import__('leadml'))"]
)
def test_importing_loads_nothing_heavy(code):
    assert not loaded_after(code) & set(HEAVY)


def test_every_public_name_is_there():
    for name in leadml.__all__:
        assert getattr(leadml, name) is not None
    assert dir(leadml) == sorted(leadml.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'scoore'"):
        _ = leadml.scoore


def test_no_module_hides_a_public_function():
    # in a lazy package `leadml/compare.py` would hide `leadml.compare` once it is imported
    modules = {name.rpartition(".")[2] for name in MODULES if not name.startswith("leadml.cli.")}
    assert not modules & set(leadml.__all__)


def test_every_estimator_is_checked():
    found = {
        name
        for module in map(importlib.import_module, MODULES)
        for name, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, BaseEstimator) and member.__module__ == module.__name__
    }
    assert found == CHECKED
    tests = Path(__file__).parent
    texts = [path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py")]
    checks = "".join(text for text in texts if "parametrize_with_checks(" in text)
    assert all(f"{name}(" in checks for name in CHECKED)


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_no_file_has_more_than_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_only_one_door_leads_to_mlflow():
    doors = {path.name for path in FILES if "import mlflow" in path.read_text(encoding="utf-8")}
    assert doors == {"tracking.py", "served.py"}
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert "import pickle" not in text
        assert "joblib.load" not in text
