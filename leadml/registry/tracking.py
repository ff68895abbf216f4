"""The only door to MLflow: each training is a run, and its model folder a pyfunc."""

import logging
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import leadml
from leadml.evaluation.summary import Evaluation

EXPERIMENT = "leadml"
STORE = "sqlite:///mlflow.db"


def log_training(
    folder: str | Path,
    parameters: Mapping[str, Any],
    evaluations: Mapping[str, Evaluation],
) -> str:
    """Log a model folder as an MLflow run and return the run's id.

    The store is that of `MLFLOW_TRACKING_URI`, or the file `mlflow.db` in this folder. Metrics are
    named `<model>.<figure>`, `.lower` and `.upper` for the interval.

    Parameters
    ----------
    folder : str or Path
        A model folder.
    parameters : mapping of name to value
    evaluations : mapping of model name to Evaluation
    """
    # no word to anybody about who trains what
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    import mlflow

    # the database's set-up is told line by line otherwise, and so is that a table of leads has no
    # signature: the model folder checks its input itself
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if not os.environ.get("MLFLOW_TRACKING_URI") and not mlflow.is_tracking_uri_set():
        mlflow.set_tracking_uri(STORE)
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=Path(folder).name) as run:
        mlflow.log_params({name: _short(value) for name, value in parameters.items()})
        mlflow.log_metrics(_metrics(evaluations))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's words about its own type hints
            mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("served.py")),
                artifacts={"folder": str(folder)},
                pip_requirements=[f"leadml=={leadml.__version__}"],
            )
    return str(run.info.run_id)


def _metrics(evaluations: Mapping[str, Evaluation]) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for model, evaluation in evaluations.items():
        for figure, row in evaluation.metrics.iterrows():
            name = f"{model}.{figure}".replace(" ", "_")
            values = {name: row["value"], f"{name}.lower": row["lower"]}
            values[f"{name}.upper"] = row["upper"]
            metrics |= {key: float(value) for key, value in values.items() if value == value}
    return metrics


def _short(value: Any) -> str:
    return str(value)[:500]
