import sqlite3

import pandas as pd
import pytest
import small_crm

from leadml.registry.tracking import log_training


# MLflow's own use of SQLAlchemy
@pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
def test_a_run_holds_figures_and_a_model_that_scores_alike(
    model_folder, training, tmp_path, monkeypatch
):
    store = tmp_path / "store.db"
    monkeypatch.chdir(tmp_path)  # artifacts go to ./mlruns
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    import mlflow

    run_id = log_training(model_folder, {**training.model.info, "seed": 0}, training.evaluations)
    run = mlflow.get_run(run_id)
    assert run.data.params["seed"] == "0"
    assert run.data.params["fingerprint"] == training.model.info["fingerprint"]
    metrics = training.evaluations["rules"].metrics.loc["log_loss"]
    for suffix, column in [("", "value"), (".lower", "lower"), (".upper", "upper")]:
        assert run.data.metrics[f"rules.log_loss{suffix}"] == pytest.approx(metrics[column])
    assert "logistic_regression.roc_auc.upper" in run.data.metrics
    loaded = mlflow.pyfunc.load_model(f"runs:/{run_id}/model")
    leads = small_crm.make_leads(30, seed=6)
    scored = loaded.predict(leads)
    pd.testing.assert_frame_equal(scored, training.model.score_leads(leads))
    assert sqlite3.connect(store).execute("select name from experiments").fetchall()
    assert not list((tmp_path / "mlruns").rglob("*.pkl"))
    assert {path.name for path in tmp_path.iterdir()} == {"store.db", "mlruns"}
