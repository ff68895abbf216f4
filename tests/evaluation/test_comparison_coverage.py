"""Does the verdict's interval hold the truth as often as it says?"""

import numpy as np
from scipy.special import expit

from leadml.evaluation.comparison import compare

N_LEADS, CALLED, RUNS = 400, 40, 200


def draw(n, rng):
    """Outcomes, the chances themselves, and a poorer model's."""
    log_odds = rng.normal(-1, 1.2, n)
    y_true = (rng.random(n) < expit(log_odds)).astype(int)
    return y_true, {"model": expit(log_odds), "rules": expit(log_odds + rng.normal(size=n))}


def true_difference():
    """Wins that the model finds more among the best tenth, of so many leads."""
    _, chances = draw(2_000_000, np.random.default_rng(99))
    called = {name: chance > np.quantile(chance, 0.9) for name, chance in chances.items()}
    wins = {name: (chances["model"] * best).mean() * N_LEADS for name, best in called.items()}
    return wins["model"] - wins["rules"]


def test_the_interval_of_a_known_difference_holds_it_in_93_of_100_runs():
    truth = true_difference()
    assert 3 < truth < 6
    held = 0
    for run in range(RUNS):
        y_true, chances = draw(N_LEADS, np.random.default_rng(run))
        found = compare(y_true, chances, capacity=10, weeks=4, n_resamples=200, random_state=run)
        wins = found.capacity_differences
        row = wins[wins["n_leads"] == CALLED].iloc[0]
        held += row["lower"] <= truth <= row["upper"]
    assert 0.93 * RUNS <= held <= 0.995 * RUNS
