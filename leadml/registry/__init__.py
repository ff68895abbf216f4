"""Model folders, cards and MLflow."""
