# ruff: noqa: F811  fixtures are imported

import json
import pickle
import re
import shutil

import joblib
import numpy as np
import pandas as pd
import pytest
import small_crm
from sklearn.linear_model import LogisticRegression
from small_values import make_leads, valued  # noqa: F401

from leadml.config import load_config
from leadml.errors import DataError, ModelFolderError
from leadml.pipelines import make_scorer
from leadml.publishing import write_training
from leadml.registry import bundle
from leadml.registry.bundle import check_folder, load_model, save_model
from leadml.registry.state import scorer_to_dict
from leadml.training import train

FILES = {
    "SHA256SUMS",
    "card.md",
    "metrics.json",
    "model.json",
    "reference.json",
    "report.html",
    "rules.toml",
}


@pytest.fixture(scope="module")
def leads():
    """Leads of which some hold values that no training lead has."""
    leads = small_crm.make_leads(60, seed=9)
    leads.loc[::5, "source"] = "never seen"
    leads.loc[::7, "employees"] = 10**9
    leads.loc[1::7, ["visits", "job_title", "email"]] = None
    return leads


@pytest.fixture
def folder(model_folder, tmp_path):
    """A copy that may be damaged."""
    return shutil.copytree(model_folder, tmp_path / "copy")


def resign(folder) -> None:
    """Write the hashes anew, as one who means to change a file would."""
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{bundle._hash(folder / name)}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines))


def test_a_folder_holds_the_files_of_the_contract(model_folder, training):
    assert {path.name for path in model_folder.iterdir()} == FILES
    assert (model_folder / "rules.toml").read_text(encoding="utf-8") == small_crm.RULES
    state = json.loads((model_folder / "model.json").read_text(encoding="utf-8"))
    assert state["format"] == bundle.FORMAT
    assert state["info"] == json.loads(json.dumps(training.model.info))
    metrics = json.loads((model_folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["fingerprint"] == training.model.info["fingerprint"]
    assert set(metrics["models"]) == {"model", "rules", "logistic regression"}
    for one in metrics["models"].values():
        assert all({"value", "lower", "upper"} == set(row) for row in one["metrics"].values())
    sums = (model_folder / "SHA256SUMS").read_text().splitlines()
    assert {line.split("  ")[1] for line in sums} == FILES - {"SHA256SUMS"}


def test_reference_holds_counts_alone(model_folder, training):
    reference = json.loads((model_folder / "reference.json").read_text(encoding="utf-8"))
    assert set(reference) == {"n_leads", "features", "scores"}
    assert reference["n_leads"] == sum(reference["scores"]) == len(training.leads.X)
    for feature in reference["features"].values():
        assert sum(feature["counts"]) == reference["n_leads"]
        assert len(feature["labels"]) == len(feature["counts"])


@pytest.mark.parametrize("structure", ["pairwise", "full"])
def test_a_loaded_model_scores_alike(crm, leads, tmp_path, structure):
    config = load_config(crm / "leadml.toml")
    learned = train(config, small_crm.make_leads(300), structure=structure)
    folder = write_training(learned, tmp_path / structure)
    loaded = load_model(folder)
    pd.testing.assert_frame_equal(loaded.score_leads(leads), learned.model.score_leads(leads))
    assert loaded.rules is None
    boosters = {path.name for path in folder.glob("booster_*.txt")}
    assert bool(boosters) == (structure == "full")
    assert {path.name for path in folder.iterdir()} == FILES - {"rules.toml"} | boosters
    if boosters:
        shutil.copy(folder / "booster_0.txt", folder / "booster_99.txt")
        with pytest.raises(ModelFolderError, match=r"booster_99\.txt is not listed in SHA256SUMS"):
            load_model(folder)
        (folder / "booster_99.txt").unlink()
        (folder / "booster_0.txt").unlink()
        with pytest.raises(ModelFolderError, match=r"booster_0\.txt is missing"):
            load_model(folder)


def test_a_loaded_model_of_deal_values_predicts_alike(valued, tmp_path):
    loaded, learned = load_model(valued.model), valued.training.model
    X = bundle.read_table(make_leads(300, seed=7), learned.config).X
    extras = loaded.compute_extras(X, ["value"])
    pd.testing.assert_frame_equal(extras, learned.compute_extras(X, ["value"]), check_exact=True)
    assert extras["deal_value"].nunique() > 50
    chances = learned.scorer.predict_proba(X)[:, 1]
    np.testing.assert_allclose(extras["expected_value"], extras["deal_value"] * chances, rtol=1e-12)
    known = learned.compute_extras(X, ["value"], np.full(len(X), np.nan))
    assert known["expected_value"].isna().all()
    assert known["deal_value"].equals(extras["deal_value"])
    assert learned.compute_extras(X[:0], ["value"]).shape == (0, 2)
    assert {path.name for path in valued.model.iterdir()} == FILES - {"rules.toml"} | {"value.txt"}
    again = save_model(tmp_path / "again", loaded)
    for name in ("model.json", "value.txt"):
        assert (again / name).read_bytes() == (valued.model / name).read_bytes()
    folder = shutil.copytree(valued.model, tmp_path / "copy")
    (folder / "value.txt").write_text("tree")
    with pytest.raises(ModelFolderError, match=r"value\.txt was changed"):
        load_model(folder)
    lines = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
    (folder / "SHA256SUMS").write_text("".join(x for x in lines if "value.txt" not in x))
    with pytest.raises(ModelFolderError, match=r"value\.txt is not listed in SHA256SUMS"):
        load_model(folder)


def test_a_folder_of_before_deal_values_scores_as_it_did(valued, leads, tmp_path):
    folder = shutil.copytree(valued.model, tmp_path / "old")
    state = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert state.pop("value")["regressor"]["booster"] == "value.txt"
    (folder / "model.json").write_text(json.dumps(state), encoding="utf-8")
    (folder / "value.txt").unlink()
    resign(folder)
    old = load_model(folder)
    assert old.value is None
    pd.testing.assert_frame_equal(old.score_leads(leads), valued.training.model.score_leads(leads))
    with pytest.raises(DataError, match=r"'valued' was trained without deal values.*'deal_value'"):
        old.compute_extras(bundle.read_table(leads, old.config).X, ["value"])


def test_a_model_that_uses_the_mean_needs_no_booster(model_folder, leads):
    loaded = load_model(model_folder)
    assert not (model_folder / "value.txt").exists()
    X = bundle.read_table(leads, loaded.config).X
    assert loaded.compute_extras(X, ["value"])["deal_value"].nunique() == 1


def test_a_loaded_additive_model_and_its_rules_score_alike(model_folder, training, leads):
    loaded = load_model(model_folder)
    model = training.model
    pd.testing.assert_frame_equal(loaded.score_leads(leads), model.score_leads(leads))
    X = bundle.read_table(leads, model.config).X
    pd.testing.assert_frame_equal(loaded.rules.score_leads(X), model.rules.score_leads(X))
    pd.testing.assert_frame_equal(
        loaded.rules.explain(X.iloc[[0]]), model.rules.explain(X.iloc[[0]])
    )
    assert loaded.config.leads.path == "leads.csv"
    assert loaded.info == model.info


def test_a_loaded_model_is_saved_as_it_was(model_folder, tmp_path):
    again = save_model(tmp_path / "again", load_model(model_folder))
    states = [json.loads((path / "model.json").read_text()) for path in (again, model_folder)]
    assert states[0] == states[1]


def test_loading_unpickles_nothing(model_folder, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("unpickled")

    for module, name in [(pickle, "load"), (pickle, "loads"), (pickle, "Unpickler")]:
        monkeypatch.setattr(module, name, refuse)
    monkeypatch.setattr(joblib, "load", refuse)
    assert load_model(model_folder).scorer.name == "small"


def test_a_changed_byte_is_refused(folder):
    card = (folder / "card.md").read_bytes()
    (folder / "card.md").write_bytes(card[:-2] + b"!" + card[-1:])
    with pytest.raises(ModelFolderError, match=r"card\.md was changed\. Restore it"):
        load_model(folder)


def test_every_damage_is_told_at_once(folder):
    (folder / "metrics.json").unlink()
    (folder / "rules.toml").write_text("")
    with pytest.raises(ModelFolderError, match=r"metrics.json is missing, rules.toml was changed"):
        load_model(folder)


def test_an_extra_booster_is_refused_and_a_note_is_not(folder):
    (folder / "notes.txt").write_text("Sales likes this one.")
    check_folder(folder)
    (folder / "booster_0.txt").write_text("tree")
    with pytest.raises(ModelFolderError, match=r"booster_0\.txt is not listed in SHA256SUMS"):
        load_model(folder)


def test_an_unlisted_model_is_refused(folder):
    (folder / "SHA256SUMS").write_text("")
    with pytest.raises(ModelFolderError, match=r"model\.json is not listed in SHA256SUMS"):
        load_model(folder)


def test_a_listed_file_lies_in_the_folder(folder):
    outside = folder.parent / "outside.txt"
    outside.write_text("")
    with (folder / "SHA256SUMS").open("a") as sums:
        sums.write(f"{bundle._hash(outside)}  ../outside.txt\n")
    with pytest.raises(ModelFolderError, match=r"outside\.txt is missing"):
        load_model(folder)


def test_another_format_is_refused(folder):
    state = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    state |= {"format": 2, "leadml": "9.1"}
    (folder / "model.json").write_text(json.dumps(state))
    resign(folder)
    with pytest.raises(ModelFolderError, match=r"has format 2; .* reads format 1.*\(9\.1\)"):
        load_model(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", "\x00", '"format"'])
def test_a_model_that_is_no_json_is_refused(folder, text):
    (folder / "model.json").write_text(text)
    resign(folder)
    with pytest.raises(ModelFolderError, match=r"model\.json is not readable\. Restore"):
        load_model(folder)


def test_what_is_no_model_folder_is_refused(tmp_path, crm):
    for path in (tmp_path, tmp_path / "nowhere", crm / "leads.csv"):
        with pytest.raises(ModelFolderError, match="is no model folder: it lacks"):
            load_model(path)


def test_a_model_is_not_overwritten_by_chance(folder, training):
    before = (folder / "model.json").read_bytes()
    with pytest.raises(ModelFolderError, match=r"holds a model already.*--overwrite"):
        write_training(training, folder)
    assert (folder / "model.json").read_bytes() == before
    (folder / "old note.txt").write_text("")
    save_model(folder, training.model, overwrite=True)
    assert {path.name for path in folder.iterdir()} == {"model.json", "SHA256SUMS"}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_model_is_never_overwritten(tmp_path, training, overwrite):
    mine, file = tmp_path / "mine", tmp_path / "file"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    file.write_text("a file")
    for path in (mine, file):
        with pytest.raises(ModelFolderError, match="exists and is no model folder"):
            save_model(path, training.model, overwrite=overwrite)
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert file.read_text() == "a file"


def test_an_empty_folder_is_taken(tmp_path, training):
    (tmp_path / "new").mkdir()
    assert load_model(save_model(tmp_path / "new", training.model)).scorer.name == "small"


@pytest.mark.parametrize("overwrite", [False, True])
def test_nothing_is_left_where_writing_fails(folder, training, monkeypatch, overwrite):
    target = folder if overwrite else folder.parent / "new"
    before = {path: path.read_bytes() for path in folder.iterdir()}

    def fail(_path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle, "_hash", fail)
    with pytest.raises(OSError, match="No space left"):
        save_model(target, training.model, {"card.md": ""}, overwrite=overwrite)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_only_our_own_classifiers_have_a_folder(training):
    model = training.model
    columns = ["visits", "employees"]
    foreign = make_scorer(model.config, LogisticRegression(max_iter=500), name="foreign")
    foreign.fit(training.leads.X[columns], training.leads.y)
    with pytest.raises(ModelFolderError, match="Only a scorer around Pipeline"):
        scorer_to_dict(foreign, {})
    before = model.scorer.estimator_[:-1].fit(training.leads.X)
    foreign.estimator_ = type(model.scorer.estimator_)(
        [("profile", before[0]), ("model", foreign.estimator_)]
    )
    with pytest.raises(ModelFolderError, match="LogisticRegression has no model folder"):
        scorer_to_dict(foreign, {})


def test_no_lead_is_named_in_any_file(model_folder):
    leads = small_crm.make_leads()
    digits = leads["phone"].dropna().str.replace(r"\D", "", regex=True)
    said = [leads[name].dropna() for name in ("lead_id", "email", "phone", "account_id")]
    secrets = [*pd.concat([*said, leads["free_note"], digits]), "ann.", "@firm"]
    assert len(secrets) > 2_000
    for path in model_folder.iterdir():
        text = path.read_text(encoding="utf-8")
        found = [secret for secret in secrets if str(secret) in text]
        assert not found, path.name
        assert not re.search(r"[\w.]+@[\w.]+\.\w+", text), path.name
