"""A model folder as an MLflow pyfunc; MLflow runs this file to load one, nothing is unpickled."""

from typing import Any

import mlflow
import pandas as pd

from leadml.registry.bundle import LeadModel, load_model


class ServedModel(mlflow.pyfunc.PythonModel):
    """Score a frame of leads with the model folder among the run's artifacts."""

    model: LeadModel

    def load_context(self, context: Any) -> None:
        """Load the folder."""
        self.model = load_model(context.artifacts["folder"])

    # of the hint for a frame alone MLflow makes no signature that it would convert by
    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """Return the scored table of a frame of leads."""
        return self.model.score_leads(model_input)


mlflow.models.set_model(ServedModel())
