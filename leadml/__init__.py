"""Lead scoring that adds up: a calibrated model and a rule book on one scale."""

from importlib import import_module
from typing import Any

__version__ = "0.4.0"

# public name -> module; nothing heavy is loaded before a name is used
_PUBLIC = {
    "Bands": "leadml.scoring.bands",
    "Comparison": "leadml.evaluation.comparison",
    "Config": "leadml.config",
    "Evaluation": "leadml.evaluation.summary",
    "History": "leadml.data.history",
    "LeadBoostingClassifier": "leadml.scoring.boosting",
    "LeadScorer": "leadml.scoring.scorer",
    "LeadValueRegressor": "leadml.scoring.value",
    "LeadmlError": "leadml.errors",
    "PointsTable": "leadml.scoring.points",
    "ProfileFeatures": "leadml.features.profile",
    "Report": "leadml.evaluation.report",
    "RuleBook": "leadml.scoring.rulebook",
    "RulePointsClassifier": "leadml.scoring.rulepoints",
    "SnapshotSplit": "leadml.features.snapshot_split",
    "build_features": "leadml.features.snapshots",
    "build_snapshots": "leadml.features.snapshots",
    "check_leads": "leadml.checking",
    "compare": "leadml.evaluation.comparison",
    "compare_leads": "leadml.assessment",
    "compute_band_stability": "leadml.evaluation.stability",
    "compute_definitions": "leadml.evaluation.forecast",
    "compute_grid": "leadml.evaluation.cross",
    "compute_mean_points": "leadml.reporting.points",
    "compute_response_times": "leadml.evaluation.response",
    "compute_segments": "leadml.evaluation.segments",
    "compute_value_at_capacity": "leadml.evaluation.value",
    "compute_value_differences": "leadml.evaluation.value",
    "config_toml": "leadml.data.starter",
    "evaluate": "leadml.evaluation.summary",
    "evaluate_leads": "leadml.assessment",
    "explain_leads": "leadml.batch",
    "export_sql": "leadml.sql.export",
    "forecast_weeks": "leadml.evaluation.forecast",
    "infer_config": "leadml.data.schema",
    "learn_rules": "leadml.rule_learning",
    "load_config": "leadml.config",
    "load_model": "leadml.registry.bundle",
    "load_rules": "leadml.scoring.rulebook",
    "open_history": "leadml.data.history",
    "propose": "leadml.starting",
    "read_leads": "leadml.data.sources",
    "save_model": "leadml.registry.bundle",
    "score_file": "leadml.bulk.run",
    "score_leads": "leadml.batch",
    "split_by_date": "leadml.features.splits",
    "starter_rules_toml": "leadml.data.starter",
    "train": "leadml.training",
    "write_assessment": "leadml.assessment",
    "write_report": "leadml.evaluation.report",
    "write_training": "leadml.publishing",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        message = f"module 'leadml' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
