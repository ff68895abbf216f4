import json

import numpy as np
import pandas as pd
import pytest
import small_crm

from leadml.config import BantColumns, load_config
from leadml.errors import DataError
from leadml.publishing import describe_figures, write_training
from leadml.registry.bundle import LeadModel, load_model
from leadml.scoring.scale import Scale
from leadml.training import FEWEST, Training, train


@pytest.fixture(scope="module")
def config(crm):
    return load_config(crm / "leadml.toml")


def quick(config, leads=None, **options) -> Training:
    return train(config, leads, structure="additive", **options)


def keep_first(leads: pd.DataFrame, status: str, count: int) -> pd.DataFrame:
    """Open all but the first leads of one outcome."""
    places = np.flatnonzero(leads["status"] == status)[count:]
    return leads.assign(status=leads["status"].where(~leads.index.isin(places), "open"))


@pytest.mark.parametrize("status", ["won", "lost"])
def test_too_few_of_one_outcome_are_refused(config, status):
    leads = keep_first(small_crm.make_leads(), status, FEWEST - 1)
    with pytest.raises(DataError, match=r"at least 40 of each.*rule book.*rules\.toml") as caught:
        quick(config, leads)
    assert f"39 {status}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_forty_of_each_are_enough(config):
    leads = keep_first(small_crm.make_leads(150), "won", FEWEST)
    result = quick(config, leads)
    assert result.model.info["n_won"] == FEWEST
    assert any("Little history: 40 wins" in warning for warning in result.warnings)
    assert result.valuing is None
    assert result.model.value is None
    assert "Deal values are not learned: 40 of 40 won leads" in result.notes[-1]


def test_an_outcome_that_fits_no_lead_is_told(config):
    leads = small_crm.make_leads().drop(columns="status")
    with pytest.raises(DataError, match=r"0 won and 0 lost leads \(column 'status': won \['won'\]"):
        quick(config, leads)


def test_nothing_to_learn_from_is_told(config):
    features = config.features.model_copy(
        update=dict.fromkeys(["demographic", "firmographic", "behavioral"], ())
        | {"context": ["free_note"], "bant": BantColumns()}
        | {"monotone": {}, "kinds": {"free_note": "text"}}
    )
    with pytest.raises(DataError, match="gives a feature"):
        quick(config.model_copy(update={"features": features}))


def test_a_real_effect_is_a_signal(training):
    assert not training.no_signal
    assert not any("NO SIGNAL" in warning for warning in training.warnings)
    gain = training.evaluations["model"].metrics.loc["log_loss_gain"]
    assert 0 < gain["lower"] < gain["value"] < gain["upper"]
    assert list(training.evaluations) == ["model", "rules", "logistic regression"]


def test_noise_is_no_signal_and_the_model_is_marked(config, tmp_path):
    result = quick(config, small_crm.make_leads(effect=0.0, seed=1))
    assert result.no_signal
    assert result.warnings[0].startswith("NO SIGNAL")
    folder = write_training(result, tmp_path / "noise")
    assert load_model(folder).info["no_signal"] is True
    for name in ("model.json", "card.md", "report.html"):
        assert "NO SIGNAL" in (folder / name).read_text(encoding="utf-8"), name
    assert '"no_signal": true' in (folder / "metrics.json").read_text(encoding="utf-8")


def test_open_leads_are_never_learned_from(config, training):
    leads = small_crm.make_leads()
    changed = leads.copy()
    is_open = leads["status"] == "open"
    assert is_open.sum() == training.model.info["n_open"] == 40
    changed.loc[is_open, "visits"] = 999
    changed.loc[is_open, "source"] = "nobody has this"
    changed.loc[is_open, "status"] = "Contacted"
    result = quick(config, changed)
    assert result.model.scorer.version == training.model.scorer.version
    assert result.leads.y.isin([0.0, 1.0]).all()
    assert len(result.leads.X) == training.model.info["n_closed"] == 360


def test_a_column_that_memorises_the_id_gives_no_gain(config):
    leads = small_crm.make_leads(effect=0.0, seed=2)
    leads["industry"] = leads["lead_id"]
    leads["employees"] = np.random.default_rng(0).permutation(len(leads))
    assert quick(config, leads).no_signal


def test_a_retrain_keeps_the_scale_and_tells_of_a_moved_base_rate(config, training):
    scale = training.model.scorer.scale_
    leads = small_crm.make_leads(seed=3)
    wins = leads.index[(leads["status"] == "won")]
    leads.loc[wins[::2], "status"] = "lost"  # half as many are won now
    result = quick(config, leads, scale=scale)
    scorer = result.model.scorer
    assert scorer.scale_ == scale
    lines = scorer.explain(result.leads.X.iloc[[0]])
    start = lines.set_index("feature").loc["start", "points"]
    won = result.model.info["n_won"] / result.model.info["n_closed"]
    moved = np.log(won / (1 - won)) - np.log(scale.base_odds)
    assert start == pytest.approx(scale.points_per_logit * moved, abs=0.01)
    assert start < -5
    fresh = training.model.scorer.explain(training.leads.X.iloc[[0]])
    assert "start" not in fresh["feature"].tolist()


def test_the_rules_are_on_the_same_scale(training):
    model = training.model
    assert model.rules.scale_ == model.scorer.scale_
    won = model.info["n_won"] / model.info["n_closed"]
    assert model.scorer.scale_.base_odds == pytest.approx(won / (1 - won))
    assert isinstance(model.scorer.scale_, Scale)


def test_equal_trainings_have_equal_versions(config, training):
    book = training.model.scorer.rules
    again = train(config, rules=book, name="other name", structure="additive")
    assert again.model.scorer.version == training.model.scorer.version
    assert again.model.rules.version == training.model.scorer.version
    assert describe_figures(again)["models"] == describe_figures(training)["models"]
    other = quick(config, small_crm.make_leads(seed=4))
    assert other.model.scorer.version != training.model.scorer.version


def test_what_is_known_of_a_training(training):
    info = training.model.info
    assert isinstance(training.model, LeadModel)
    assert info["n_leads"] == info["n_closed"] + info["n_open"] == 400
    assert info["newest_lead"] == training.leads.created.max().date().isoformat()
    assert info["structure"] == "additive"
    assert "free_note" in " ".join(training.warnings)
    assert "stage_note" not in " ".join(training.warnings)


def test_the_forecast_counts_every_lead_once(training):
    leads = small_crm.make_leads()
    created = pd.to_datetime(leads["created_at"])
    monday = created.dt.normalize() - pd.to_timedelta(created.dt.day_of_week, unit="D")
    weeks = monday.value_counts()
    complete = weeks[weeks == 14]  # a lead comes each half day
    forecast = training.forecast.set_index("group")
    assert forecast["n_weeks"].eq(len(complete)).all()
    assert forecast.loc["all", "mean"] == 14
    # the newest tenth is open, and counted
    assert complete.index.max() > created[leads["status"] != "open"].max() - pd.Timedelta("7D")
    bands = [band for band in ("hot", "warm", "cold") if band in forecast.index]
    assert [*forecast.index] == [*bands, "all"]
    scored = training.model.score_leads(leads)
    inside = monday.isin(complete.index).to_numpy()
    counts = scored["band"][inside].value_counts() / len(complete)
    assert forecast.loc[bands, "mean"].tolist() == counts[bands].tolist()
    figures = describe_figures(training)
    assert [row["group"] for row in figures["forecast"]] == [*forecast.index]
    assert figures["value"]["beats_mean"] is False
    assert len(figures["value"]["at_capacity"]) == 24
    json.dumps(figures["value"], allow_nan=False)


def test_without_four_weeks_there_is_no_forecast(config):
    leads = small_crm.make_leads(200)
    leads["created_at"] = [f"2025-01-{1 + place // 8:02d}" for place in leads.index]
    result = quick(config, leads)
    assert result.forecast is None
    assert describe_figures(result)["forecast"] is None


def test_columns_that_come_and_go_and_protected_ones(config):
    """A column new among the test leads, one that ends, an empty one: no library warns."""
    features = config.features.model_copy(update={"protected": ["industry"]})
    leads = small_crm.make_leads()
    leads["employees"] = leads["employees"].where(leads.index > 320)
    leads["source"] = leads["source"].where(leads.index < 300, "a new source")
    leads["industry"] = None
    result = quick(config.model_copy(update={"features": features}), leads)
    assert result.model.info["n_closed"] == 360
    assert "Protected attributes are used: industry" in result.warnings


def test_progress_tells_each_step(config):
    steps = []
    with pytest.raises(DataError, match="does not exist"):
        quick(config, "nowhere.csv", progress=steps.append)
    assert steps == ["reading leads"]


def test_maven_crm_has_no_signal_and_its_open_deals_are_scored(real_data, tmp_path):
    from leadml.batch import score_leads
    from leadml.cli.init import init

    source = real_data / "maven_crm" / "sales_pipeline.csv"
    init(
        source,
        id="opportunity_id",
        outcome="deal_stage",
        won=["Won"],
        lost=["Lost"],
        created="engage_date",
        closed="close_date",
        account="account",
        out=tmp_path / "leadml.toml",
    )
    config = load_config(tmp_path / "leadml.toml")
    result = quick(config, source)
    assert result.model.info["split"].startswith("the newest 20 % of leads")
    assert result.no_signal
    assert result.model.info["n_closed"] == 6_711
    assert result.model.info["n_open"] == 2_089
    folder = write_training(result, tmp_path / "maven")
    deals = pd.read_csv(source)
    still_open = deals[~deals["deal_stage"].isin(["Won", "Lost"])]
    scored = score_leads(folder, still_open)
    assert scored["lead_id"].tolist() == still_open["opportunity_id"].tolist()
    assert scored["score"].between(0, 100).all()
