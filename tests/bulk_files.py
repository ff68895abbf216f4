"""Leads to score in files of every format, and blocks so small that there are many."""

import numpy as np
import pandas as pd
import pytest
import small_crm

from leadml.bulk import parts
from leadml.data import blocks, chunks

READERS = {
    ".csv": lambda path: pd.read_csv(path, dtype={"lead_id": "str"}),
    ".csv.gz": lambda path: pd.read_csv(path, dtype={"lead_id": "str"}),
    ".parquet": pd.read_parquet,
    ".jsonl": lambda path: pd.read_json(path, lines=True, dtype={"lead_id": "str"}),
}


def make_leads(count=150, seed=5):
    """Leads with ids to keep as text, blanks, values no training lead has, and gaps."""
    leads = small_crm.make_leads(count, seed)
    leads["lead_id"] = [f"{place:05d}" for place in range(count)]
    leads["source"] = leads["source"].where(leads.index % 11 > 0, " Google ")
    leads.loc[::7, ["source", "industry", "budget"]] = ["never seen", "select", ""]
    leads.loc[3::7, ["job_title", "email", "phone"]] = None
    leads["visits"] = leads["visits"].astype("Float64").where(leads.index % 13 > 0)
    leads.loc[5::17, "employees"] = 10**7
    leads.loc[4::17, "job_title"] = 'Head of "IT",\nsite two'
    return leads


@pytest.fixture(scope="module")
def leads():
    return make_leads()


@pytest.fixture
def tiny(monkeypatch):
    """A function that sets the size of blocks."""

    def set_sizes(n_bytes=1_000, rows=11):
        monkeypatch.setattr(chunks, "BYTES", n_bytes)
        monkeypatch.setattr(blocks, "ROWS", rows)
        monkeypatch.setattr(parts, "ROWS", rows)

    set_sizes()
    return set_sizes


def write_leads(leads, path):
    """Write leads in the format of a path; of a folder, in three files."""
    if path.suffix == ".parquet":
        leads.to_parquet(path, row_group_size=40)
    elif path.suffix == ".jsonl":
        leads.to_json(path, orient="records", lines=True, force_ascii=False)
    elif path.suffix:
        leads.to_csv(path, index=False)
    else:
        path.mkdir()
        for number in range(3):
            leads[number::3].to_parquet(path / f"part-{number}.parquet")
    return path


def read_back(path):
    ending = next(each for each in (".csv.gz", *READERS) if path.name.endswith(each))
    return READERS[ending](path)


def assert_same(found, expected):
    pd.testing.assert_frame_equal(
        found.astype({"lead_id": "str"}).fillna(np.nan),
        expected.astype({"lead_id": "str"}).fillna(np.nan),
        check_dtype=False,
        rtol=0,
        atol=1e-9,
    )


@pytest.fixture(scope="module")
def odd_csv(leads, tmp_path_factory):
    """A file with bad rows, their numbers from 1, and the leads without them."""
    path = tmp_path_factory.mktemp("odd") / "in.csv"
    lines = leads.assign(job_title="CFO").to_csv(index=False).splitlines()
    lines[20] += ",more"  # row 20
    cells = lines[31].split(",")
    place = lines[0].split(",").index("visits")
    lines[31] = ",".join([*cells[:place], "many", *cells[place + 1 :]])
    lines[32] = ",".join(["", *lines[32].split(",")[1:]])
    lines[33] = lines[33].replace(lines[33].split(",")[1], "yesterday")
    lines[100] = "short"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    bad = [20, 31, 32, 33, 100]
    good = leads.assign(job_title="CFO").drop(index=[row - 1 for row in bad])
    return path, bad, good.reset_index(drop=True)
