# ruff: noqa: F811  fixtures are imported

import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bulk_files import assert_same, leads, odd_csv, read_back, tiny, write_leads  # noqa: F401
from small_values import valued  # noqa: F401

from leadml.bulk.run import score_file
from leadml.errors import DataError


def interrupt_at(row):
    def progress(step):
        if step.rows >= row:
            raise KeyboardInterrupt

    return progress


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet", "out.jsonl"])
def test_an_interrupted_run_is_resumed(model_folder, odd_csv, tmp_path, name):
    given = {"on_error": "reject", "keep": ["deal_value"]}
    whole, out = tmp_path / f"whole-{name}", tmp_path / name
    expected = score_file(model_folder, odd_csv[0], whole, **given)
    for row in (1, 40, 120):
        with pytest.raises(KeyboardInterrupt):
            score_file(
                model_folder,
                odd_csv[0],
                out,
                **given,
                resume=row > 1,
                progress=interrupt_at(row),
            )
        assert not out.exists()
    with pytest.raises(DataError, match="another input, model, version or options"):
        score_file(model_folder, odd_csv[0], out, resume=True)
    seen = []
    done = score_file(model_folder, odd_csv[0], out, **given, resume=True, progress=seen.append)
    assert seen[0].rows > 120
    assert out.read_bytes() == whole.read_bytes()
    assert done.rejected.read_bytes() == expected.rejected.read_bytes()
    assert replace(done, rejected=None) == replace(expected, rejected=None)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.usefixtures("tiny")
def test_a_changed_input_is_not_gone_on_with(model_folder, leads, tmp_path):
    path, out = write_leads(leads, tmp_path / "in.csv"), tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        score_file(model_folder, path, out, progress=interrupt_at(40))
    write_leads(leads.assign(visits=1), path)
    with pytest.raises(DataError, match="another input"):
        score_file(model_folder, path, out, resume=True)


@pytest.mark.usefixtures("tiny")
def test_a_run_with_other_extras_is_not_gone_on_with(valued, leads, tmp_path):
    path, out = write_leads(leads, tmp_path / "in.csv"), tmp_path / "out.csv"
    score_file(valued.model, path, tmp_path / "whole.csv", extras=["value"])
    with pytest.raises(KeyboardInterrupt):
        score_file(valued.model, path, out, extras=["value"], progress=interrupt_at(40))
    with pytest.raises(DataError, match="another input, model, version or options"):
        score_file(valued.model, path, out, resume=True)
    score_file(valued.model, path, out, extras=["value"], resume=True)
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


SMALL_BLOCKS = """
import sys
from leadml.data import blocks, chunks
chunks.BYTES, blocks.ROWS = 20_000, 100
from leadml.cli.app import main
sys.argv[0] = "leadml"
main()
"""


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_killed_run_is_resumed(model_folder, leads, tmp_path, tiny, name):
    """Whatever the moment of the kill, the end is that of an undisturbed run."""
    tiny(20_000, 100)
    many = pd.concat([leads] * 100, ignore_index=True)
    many["lead_id"] = [f"{place:07d}" for place in range(len(many))]
    many["visits"] = many["visits"].astype(object)
    many.loc[::999, "visits"] = "many"
    many["visits"] = many["visits"].astype("str")
    given = write_leads(many, tmp_path / ("in" + name[3:]))
    whole, out = tmp_path / f"whole-{name}", tmp_path / name
    score_file(model_folder, given, whole, on_error="reject")
    command = [sys.executable, "-c", SMALL_BLOCKS, "score", model_folder, given, "-o", out]
    command += ["--on-error", "reject"]
    journal = tmp_path / f".{name}.part" / "journal"
    random = np.random.default_rng(0)
    for share in (0.2, 0.7):
        resume = ["--resume"] if journal.exists() else []
        with subprocess.Popen(command + resume, stderr=subprocess.DEVNULL) as process:
            wait_for(process, journal, share * 15_000)
            time.sleep(random.random() / 50)
            process.kill()
    if journal.exists() or journal.with_name("done").exists():
        last = subprocess.run([*command, "--resume"], capture_output=True, text=True)
        assert last.returncode == 0, last.stderr
    assert out.read_bytes() == whole.read_bytes()
    rejected = [tmp_path / f"{each}.rejected.csv" for each in (name, whole.name)]
    assert rejected[0].read_bytes() == rejected[1].read_bytes()
    assert len(pd.read_csv(rejected[0])) == 16


def wait_for(process, journal, rows):
    """Wait until a run has done so many rows, or is over."""
    while process.poll() is None:
        try:
            lines = journal.read_text().split("\n")[:-1]
        except FileNotFoundError:  # not yet, or no more
            lines = []
        if len(lines) > 1 and json.loads(lines[-1])["state"]["seen"] >= rows:
            return
        time.sleep(0.002)
