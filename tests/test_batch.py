# ruff: noqa: F811  fixtures are imported

import gzip
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import small_crm
from small_values import valued  # noqa: F401

from leadml.batch import check_book, explain_leads, open_scorer, score_leads
from leadml.config import load_config
from leadml.errors import ConfigError, DataError, LeadmlError
from leadml.registry.bundle import load_model, save_model
from leadml.scored import check_scored
from leadml.scoring.sums import compute_sums

READERS = {
    "scored.csv": pd.read_csv,
    "scored.csv.gz": pd.read_csv,
    "scored.parquet": pd.read_parquet,
    "scored.jsonl": lambda path: pd.read_json(path, lines=True),
}


@pytest.fixture(scope="module")
def leads():
    return small_crm.make_leads(50, seed=5)


@pytest.fixture(scope="module")
def scored(model_folder, leads):
    return score_leads(model_folder, leads)


@pytest.mark.parametrize("name", READERS)
def test_every_format_holds_the_scored_table(model_folder, leads, scored, tmp_path, name):
    returned = score_leads(model_folder, leads, tmp_path / name)
    pd.testing.assert_frame_equal(returned, scored)
    written = READERS[name](tmp_path / name)
    check_scored(written)
    pd.testing.assert_frame_equal(
        written.fillna(np.nan), scored.fillna(np.nan), check_dtype=False, rtol=1e-9
    )
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_text_formats_are_what_they_say(model_folder, leads, tmp_path):
    score_leads(model_folder, leads.head(2), tmp_path / "a.jsonl")
    first = json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["lead_id"] == leads["lead_id"][0]
    assert first["points"] is None
    score_leads(model_folder, leads.head(2), tmp_path / "a.csv.gz")
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).startswith(b"lead_id,probability,")


def test_an_ending_or_folder_that_cannot_be_written_is_told(model_folder, leads, tmp_path):
    with pytest.raises(DataError, match=r"Accepted endings: \.csv, \.csv\.gz"):
        score_leads(model_folder, leads, tmp_path / "scored.xlsx")
    with pytest.raises(DataError, match=r"does not exist\. Create it"):
        score_leads(model_folder, leads, tmp_path / "nowhere" / "scored.csv")


def test_the_table_is_sound_and_rows_keep_their_order(leads, scored):
    check_scored(scored)
    assert scored["lead_id"].tolist() == leads["lead_id"].tolist()
    assert scored["model"].eq("small").all()
    assert scored["version"].str.fullmatch("[0-9a-f]{8}").all()
    assert scored["points"].isna().all()
    assert scored.loc[leads["phone"].isna(), "qualified"].eq(False).all()
    assert scored["bant"].tolist() == [
        "B---" if yes == "yes" else "----" for yes in leads["budget"]
    ]
    assert not scored.loc[leads["job_title"] == "Student", "qualified"].any()


def test_one_row_scores_as_in_any_batch(model_folder, leads, scored):
    shuffled = leads.sample(frac=1, random_state=3)
    again = score_leads(model_folder, shuffled[shuffled.columns[::-1]])
    again = again.set_index("lead_id").loc[leads["lead_id"]].reset_index()
    pd.testing.assert_frame_equal(again, scored, check_exact=True)
    for place in (0, 7, 49):
        one = score_leads(model_folder, leads.iloc[[place]])
        pd.testing.assert_frame_equal(
            one, scored.iloc[[place]].reset_index(drop=True), check_exact=True, check_dtype=False
        )


def test_a_file_scores_as_its_frame(model_folder, leads, scored, tmp_path):
    leads.to_csv(tmp_path / "new.csv", index=False)
    pd.testing.assert_frame_equal(score_leads(model_folder, tmp_path / "new.csv"), scored)
    leads.to_parquet(tmp_path / "new.parquet")
    pd.testing.assert_frame_equal(score_leads(model_folder, tmp_path / "new.parquet"), scored)


def test_new_leads_need_neither_outcome_nor_account_nor_unused_columns(model_folder, leads, scored):
    bare = leads.drop(columns=["status", "account_id", "deal_value", "free_note", "stage_note"])
    pd.testing.assert_frame_equal(score_leads(model_folder, bare), scored)
    with pytest.raises(DataError, match="'visits' is missing"):
        score_leads(model_folder, leads.drop(columns="visits"))


def test_ids_stay_as_they_are(model_folder, leads):
    numbered = score_leads(model_folder, leads.assign(lead_id=range(1, 51)))
    assert numbered["lead_id"].tolist() == list(range(1, 51))
    padded = score_leads(
        model_folder, leads.assign(lead_id=[f"{place:03d}" for place in range(50)])
    )
    assert padded["lead_id"].tolist()[:2] == ["000", "001"]
    [(row, _)] = explain_leads(model_folder, leads.assign(lead_id=range(1, 51)), ["7"])
    assert row["lead_id"] == 7


@pytest.mark.parametrize("count", [0, 1, 5, 20])
def test_as_many_reasons_as_asked_for(model_folder, leads, count):
    table = score_leads(model_folder, leads, n_reasons=count)
    check_scored(table)
    assert [name for name in table if name.startswith("reason_")] == [
        f"reason_{place + 1}" for place in range(count)
    ]


def test_by_rules_the_book_scores_on_the_same_scale(model_folder, leads):
    table = score_leads(model_folder, leads, by="rules")
    check_scored(table)
    visits = (5 * leads["visits"]).clip(upper=40)
    assert table["points"].tolist() == (visits + 20 * (leads["source"] == "referral")).tolist()
    assert table["model"].eq("rules").all()
    assert table["probability"].notna().all()
    order = table.sort_values("points")
    assert order["score"].is_monotonic_increasing


def test_a_rule_book_alone_gives_points_and_no_probability(crm, leads, tmp_path):
    table = score_leads(crm / "rules.toml", leads, tmp_path / "scored.csv")
    check_scored(table)
    assert table["probability"].isna().all()
    assert (table["score"] == table["points"]).all()
    assert table["reason_1"].str.startswith("+").any()
    assert set(table["band"]) == {"warm", "cold"}
    check_scored(pd.read_csv(tmp_path / "scored.csv"))
    one = score_leads(crm / "rules.toml", leads.iloc[[3]])
    assert one["score"][0] == table["score"][3]


def test_a_rule_book_needs_its_settings(tmp_path, leads):
    (tmp_path / "rules.toml").write_text(small_crm.RULES)
    with pytest.raises(ConfigError, match=r"needs a leadml\.toml beside it"):
        score_leads(tmp_path / "rules.toml", leads)
    with pytest.raises(ConfigError, match="does not exist"):
        small_crm.write_crm(tmp_path, leads)
        score_leads(tmp_path / "other.toml", leads)


def test_a_model_without_rules_has_none_to_score_by(model_folder, tmp_path, leads):
    folder = save_model(tmp_path / "bare", replace(load_model(model_folder), rules=None))
    with pytest.raises(DataError, match="holds no rule book"):
        score_leads(folder, leads, by="rules")


@pytest.mark.parametrize("by", ["model", "rules", "no history"])
def test_lines_add_up_to_the_score(crm, model_folder, leads, by):
    source = crm / "rules.toml" if by == "no history" else model_folder
    by = "model" if by == "no history" else by
    ids = leads["lead_id"].tolist()
    scorer, table = open_scorer(source, leads, by=by)
    raw = compute_sums(scorer, scorer.select(table.X)).raw_scores
    explained = explain_leads(source, leads, ids[:20], by=by)
    for place, (row, lines) in enumerate(explained):
        total = lines["points"].sum()
        assert row["lead_id"] == ids[place]
        assert total == pytest.approx(raw[place], abs=0.05)
        assert row["score"] == np.clip(round(total), 0, 100) or total % 1 == pytest.approx(0.5)
        assert lines["feature"].is_unique


def test_every_unknown_id_is_told(model_folder, leads):
    wanted = ["lead-0003-5x", "lead-0003-5y", "zzz"]
    with pytest.raises(DataError, match="has 2 problems") as caught:
        explain_leads(model_folder, leads, wanted)
    assert "'lead-0003-5y'. Did you mean 'lead-0003-5x'?" in str(caught.value)
    assert "no lead has the id 'zzz'." in str(caught.value)


def test_a_book_is_checked_against_its_leads(crm, tmp_path, leads):
    config = load_config(crm / "leadml.toml")
    assert len(check_book(crm / "rules.toml", config, leads).rules) == 3
    wrong = small_crm.RULES.replace('column = "visits"', 'column = "visit"')
    (tmp_path / "rules.toml").write_text(wrong.replace('"source"', '"deal_value"'))
    with pytest.raises(ConfigError, match="has 2 problems") as caught:
        check_book(tmp_path / "rules.toml", config, leads)
    message = str(caught.value)
    assert "line 8: rule 'Visits': there is no column 'visit'. Did you mean 'visits'?" in message
    assert "line 15: rule 'Referral': there is no column 'deal_value'." in message


def test_what_is_no_source_is_told(tmp_path, leads):
    with pytest.raises(LeadmlError, match="is no model folder"):
        score_leads(tmp_path, leads)


@pytest.mark.parametrize("by", ["model", "rules"])
def test_expected_values_stand_behind_the_scores(valued, leads, tmp_path, by):
    plain = score_leads(valued.model, leads, by=by)
    table = score_leads(valued.model, leads, tmp_path / "out.csv", by=by, extras=("value",))
    check_scored(table)
    assert [*table][-2:] == ["deal_value", "expected_value"]
    pd.testing.assert_frame_equal(table[[*plain]], plain)
    np.testing.assert_allclose(table["expected_value"], table["probability"] * table["deal_value"])
    assert np.corrcoef(leads["employees"], table["deal_value"])[0, 1] > 0.9
    written = pd.read_csv(tmp_path / "out.csv")
    np.testing.assert_array_equal(written["expected_value"], table["expected_value"])
    # who scores does not change what a deal is worth
    other = score_leads(valued.model, leads, by="model", extras=("value",))
    assert table["deal_value"].equals(other["deal_value"])


def test_extras_that_a_model_has_not_are_told(valued, model_folder, crm, leads, tmp_path):
    bare = replace(load_model(model_folder), value=None)
    folder = save_model(tmp_path / "bare", bare)
    with pytest.raises(DataError, match=r"the model 'small' was trained without deal values"):
        score_leads(folder, leads, extras=("value",))
    with pytest.raises(DataError, match=r"'vlaue' is not known\. Did you mean 'value'\?"):
        score_leads(valued.model, leads, extras=("vlaue",))
    with pytest.raises(DataError, match=r"a rule book alone has none"):
        score_leads(crm / "rules.toml", leads, extras=("value",))
    assert [*score_leads(folder, leads)] == [*score_leads(valued.model, leads)]
