"""Leads whose deals' values follow from the employees, and a training on them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import small_crm

from leadml.batch import check_book
from leadml.config import load_config
from leadml.publishing import write_training
from leadml.training import train


def make_leads(count: int = 1_000, seed: int = 0) -> pd.DataFrame:
    """Return leads of which won ones brought about 100 an employee; lost ones a hope, or none."""
    leads = small_crm.make_leads(count, seed)
    noise = np.random.default_rng(seed + 1).lognormal(sigma=0.3, size=count)
    worth = (100 * leads["employees"] * noise).round(2)
    lost = worth.where(leads.index % 2 == 0, 10**9)
    return leads.assign(deal_value=worth.where(leads["status"] == "won", lost))


@pytest.fixture(scope="module")
def valued(tmp_path_factory):
    """A folder of such leads, their training and its model folder."""
    folder = tmp_path_factory.mktemp("valued")
    small_crm.write_crm(folder, make_leads())
    config = load_config(folder / "leadml.toml")
    book = check_book(folder / "rules.toml", config)
    training = train(config, rules=book, name="valued", structure="additive")
    model = write_training(training, folder / "model")
    return SimpleNamespace(folder=folder, config=config, training=training, model=model)
