"""scikit-learn's own checks, with no exemption."""

from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from leadml.scoring.boosting import LeadBoostingClassifier
from leadml.scoring.rulepoints import RulePointsClassifier
from leadml.scoring.scorer import LeadScorer

SMALL = {"n_repeats": 1, "max_rounds": 40, "random_state": 0}


@parametrize_with_checks(
    [
        LeadBoostingClassifier(**SMALL),
        RulePointsClassifier(),
        LeadScorer(LeadBoostingClassifier("additive", **SMALL)),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_tags_of_a_wrapped_classifier():
    assert not LeadScorer(LogisticRegression()).__sklearn_tags__().input_tags.sparse
