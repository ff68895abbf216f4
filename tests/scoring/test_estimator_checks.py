"""scikit-learn's own checks, with no exemption, and what its users expect beside them."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer


@parametrize_with_checks(
    [
        LeadBoostingClassifier(),
        RulePointsClassifier(),
        LeadScorer(),
        LeadScorer(LogisticRegression()),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
