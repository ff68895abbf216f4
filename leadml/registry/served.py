"""A model folder as an MLflow pyfunc; MLflow runs this file to load one, nothing is unpickled."""

from typing import Any

import mlflow

from leadml.registry.bundle import LeadModel, load_model


class ServedModel(mlflow.pyfunc.PythonModel):
    """Score a frame of leads with the model folder among the run's artifacts."""

    model: LeadModel

    def load_context(self, context: Any) -> None:
        """Load the folder."""
        self.model = load_model(context.artifacts["folder"])

    # without type hints: MLflow would make a signature of them, and convert by it
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, ARG002
        """Return the scored table of a frame of leads."""
        return self.model.score_leads(model_input)


mlflow.models.set_model(ServedModel())
