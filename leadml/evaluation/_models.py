"""Check several models' probabilities for the same leads."""

from collections.abc import Mapping
from typing import Any

from leadml.errors import DataError
from leadml.evaluation._inputs import Floats, checked_probabilities


def checked_models(
    probabilities: Mapping[str, Any], n_leads: int, at_least: int = 1
) -> dict[str, Floats]:
    """Return the checked probabilities of each model by name, else raise DataError."""
    if len(probabilities) < at_least:
        accepted = "one model or more" if at_least == 1 else "two models or more"
        message = (
            f"`probabilities` holds {len(probabilities)} model(s): {list(probabilities)}. Accepted "
            f"are {accepted}. Pass for example {{'model': y_prob, 'rules': y_prob_of_the_rules}}."
        )
        raise DataError(message)
    return {
        str(name): checked_probabilities(y_prob, n_leads, str(name))
        for name, y_prob in probabilities.items()
    }
