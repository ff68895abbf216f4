import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadml.data.block_writer import BlockWriter
from leadml.errors import DataError

NAMES = ["out.csv", "out.csv.gz", "out.parquet", "out.jsonl"]
RUN = {"leads": ["a.csv", 7], "model": "é"}
READERS = {
    "out.csv": pd.read_csv,
    "out.csv.gz": pd.read_csv,
    "out.parquet": pd.read_parquet,
    "out.jsonl": lambda path: pd.read_json(path, lines=True, dtype={"lead_id": "str"}),
}


def make_block(number, size=5):
    """Texts, a dictionary, whole numbers with gaps, in chunks of their own."""
    lead_ids = [f"lead-{number}-{place}" for place in range(size)]
    bands = pa.DictionaryArray.from_arrays(
        pa.array(np.arange(size) % 2, pa.int8()), ["hot", "cold"]
    )
    texts = ['a,"b"\n', None, *["é"] * size][:size]
    halves = [pa.array(texts[:2], pa.string()), pa.array(texts[2:], pa.string())]
    return pa.table(
        {
            "lead_id": pa.array(lead_ids, pa.string()),
            "probability": np.arange(size) / 7 + number,
            "band": bands,
            "note": pa.chunked_array(halves),
            "visits": pa.array([None, *range(2**60, 2**60 + size - 1)][:size], pa.int64()),
        }
    )


BLOCKS = [make_block(0), make_block(1, 1), make_block(2, 0), make_block(3), make_block(4, 9)]
BAD = [b"", b'3,x,"no\nnumber",y\n', b"", b"", b"9,,no id,\n"]


def write(writer, first=0):
    """Append the blocks from a number on."""
    for number in range(first, len(BLOCKS)):
        data = writer.encode(BLOCKS[number])
        writer.append(BLOCKS[number], data, BAD[number], {"seen": number + 1})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of undisturbed runs, and what each leaves before it ends, by name."""
    made = {}
    for name in NAMES:
        folder = tmp_path_factory.mktemp("whole")
        with BlockWriter(folder / name, RUN) as writer:
            write(writer)
            shutil.copytree(folder / f".{name}.part", folder / "kept")
        rejected = (folder / f"{name}.rejected.csv").read_bytes()
        made[name] = (folder / name).read_bytes(), rejected, folder / "kept"
    return made


def assert_same(folder, name, whole):
    assert (folder / name).read_bytes() == whole[name][0]
    assert (folder / f"{name}.rejected.csv").read_bytes() == whole[name][1]
    assert sorted(path.name for path in folder.iterdir()) == [name, f"{name}.rejected.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_every_format_holds_the_blocks(tmp_path, whole, name):
    with BlockWriter(tmp_path / name, RUN) as writer:
        assert (writer.n_blocks, writer.state) == (0, {})
        write(writer)
    assert_same(tmp_path, name, whole)
    found = READERS[name](tmp_path / name)
    expected = pa.concat_tables(
        block.set_column(2, "band", block["band"].cast(pa.string())) for block in BLOCKS
    )
    assert found["lead_id"].tolist() == expected["lead_id"].to_pylist()
    assert found["band"].tolist() == expected["band"].to_pylist()
    np.testing.assert_allclose(found["probability"], expected["probability"], atol=1e-9)
    assert found["note"].fillna("-").tolist() == [
        text or "-" for text in expected["note"].to_pylist()
    ]
    rejected = pd.read_csv(tmp_path / f"{name}.rejected.csv")
    assert list(rejected) == ["row", "lead_id", "reason", "content"]
    assert rejected["row"].tolist() == [3, 9]
    assert rejected["reason"].tolist() == ["no\nnumber", "no id"]


def test_text_formats_keep_whole_numbers(whole):
    lines = whole["out.jsonl"][0].decode().splitlines()
    assert len(lines) == sum(map(len, BLOCKS))
    assert [json.loads(line)["visits"] for line in lines[:3]] == [None, 2**60, 2**60 + 1]
    assert str(2**60 + 1) in whole["out.csv"][0].decode()
    assert gzip.decompress(whole["out.csv.gz"][0]) == whole["out.csv"][0]


def test_parquet_has_plain_columns(tmp_path, whole):
    (tmp_path / "out.parquet").write_bytes(whole["out.parquet"][0])
    file = pq.ParquetFile(tmp_path / "out.parquet")
    assert file.schema_arrow.field("band").type == pa.string()
    assert file.metadata.num_row_groups >= 4


@pytest.mark.parametrize("name", NAMES)
def test_a_run_goes_on_wherever_it_was_cut(tmp_path, whole, name):
    """A kill leaves complete lines of the journal, part of one, and any part of what follows."""
    kept = whole[name][2]
    journal = (kept / "journal").read_bytes()
    lines = [json.loads(line) for line in journal.splitlines()[1:]]
    starts = np.cumsum([len(line) + 1 for line in journal.splitlines()])
    random = np.random.default_rng(0)
    for cut in [*range(starts[0], len(journal), 7), *starts, len(journal) - 1]:
        n_blocks = int(np.searchsorted(starts, cut, side="right")) - 1
        folder = tmp_path / "run"
        part = folder / f".{name}.part"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copytree(kept, part)
        (part / "journal").write_bytes(journal[:cut])
        for file, key in (("blocks", "data"), ("rejected", "bad")):
            content = (part / file).read_bytes()
            least = lines[n_blocks - 1][key] if n_blocks else 0
            most = lines[n_blocks][key] if n_blocks < len(lines) else least
            (part / file).write_bytes(content[: random.integers(least, most, endpoint=True)])
        if name == "out.parquet":
            size = (part / "parquet").stat().st_size
            (part / "parquet").write_bytes(b"x" * random.integers(0, size))
        with BlockWriter(folder / name, RUN, resume=True) as writer:
            assert writer.n_blocks == n_blocks
            assert writer.state == (lines[n_blocks - 1]["state"] if n_blocks else {})
            write(writer, n_blocks)
        assert_same(folder, name, whole)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_went_on_can_be_cut_again(tmp_path, whole, name):
    for stop in range(len(BLOCKS)):
        with (
            pytest.raises(KeyboardInterrupt),
            BlockWriter(tmp_path / name, RUN, resume=stop > 0) as writer,
        ):
            assert writer.n_blocks == stop
            block = BLOCKS[stop]
            writer.append(block, writer.encode(block), BAD[stop], {"seen": stop + 1})
            writer._data.write(b"half of a block")
            raise KeyboardInterrupt
    with BlockWriter(tmp_path / name, RUN, resume=True) as writer:
        assert writer.n_blocks == len(BLOCKS)
    assert_same(tmp_path, name, whole)


@pytest.mark.parametrize("name", NAMES)
def test_files_shorter_than_the_journal_says_lose_their_last_blocks(tmp_path, whole, name):
    part = tmp_path / f".{name}.part"
    shutil.copytree(whole[name][2], part)
    size = (part / "blocks").stat().st_size
    (part / "blocks").write_bytes((part / "blocks").read_bytes()[: size - 1])
    with BlockWriter(tmp_path / name, RUN, resume=True) as writer:
        assert writer.n_blocks == 4
        write(writer, 4)
    assert_same(tmp_path, name, whole)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", range(4))
def test_a_run_cut_while_its_files_are_put_in_place(tmp_path, whole, name, step, monkeypatch):
    rename, steps = Path.replace, []

    def replace(self, target):
        if len(steps) == step:
            raise KeyboardInterrupt
        steps.append(target)
        return rename(self, target)

    with pytest.raises(KeyboardInterrupt), BlockWriter(tmp_path / name, RUN) as writer:
        write(writer)
        monkeypatch.setattr(Path, "replace", replace)
        monkeypatch.setattr("shutil.rmtree", lambda folder: replace(folder, ""))
    monkeypatch.undo()
    with BlockWriter(tmp_path / name, RUN, resume=True) as writer:
        assert writer.n_blocks == len(BLOCKS)
        assert writer.state == {"seen": len(BLOCKS)}
    assert_same(tmp_path, name, whole)


def test_what_is_left_of_another_run_is_refused(tmp_path):
    path = tmp_path / "out.csv"
    with pytest.raises(DataError, match="nothing to resume"):
        BlockWriter(path, RUN, resume=True)
    with pytest.raises(KeyboardInterrupt), BlockWriter(path, RUN) as writer:
        write(writer)
        raise KeyboardInterrupt
    with pytest.raises(DataError, match="with another input, model, version or options"):
        BlockWriter(path, RUN | {"model": "b"}, resume=True)
    with BlockWriter(path, RUN | {"model": "b"}) as writer:  # anew
        assert writer.n_blocks == 0
        write(writer, 4)
    assert len(pd.read_csv(path)) == 9
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out.csv", "out.csv.rejected.csv"]


def test_a_journal_without_its_first_line_is_nothing(tmp_path):
    part = tmp_path / ".out.csv.part"
    part.mkdir()
    for text in ("", '{"leads": ["a.c'):
        (part / "journal").write_text(text)
        with pytest.raises(DataError, match="nothing to resume"):
            BlockWriter(tmp_path / "out.csv", RUN, resume=True)


def test_an_error_leaves_nothing(tmp_path):
    (tmp_path / "out.csv").write_text("of the run before")
    with pytest.raises(DataError, match="odd"), BlockWriter(tmp_path / "out.csv", RUN) as writer:
        write(writer)
        message = "odd"
        raise DataError(message)
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "of the run before"


def test_rejected_rows_of_a_run_before_are_taken_away(tmp_path):
    for bad in (BAD[4], b""):
        with BlockWriter(tmp_path / "out.csv", RUN) as writer:
            writer.append(BLOCKS[0], writer.encode(BLOCKS[0]), bad, {})
        assert writer.rejected_path.exists() == bool(bad)


def test_columns_that_change_their_kind(tmp_path):
    whole, half = pa.table({"lead_id": [1], "a": [1]}), pa.table({"lead_id": [2.0], "a": [3.0]})
    text = pa.table({"lead_id": [3], "a": ["x"]})
    with BlockWriter(tmp_path / "out.parquet", RUN) as writer:
        for table in (whole, half):
            writer.append(table, writer.encode(table), b"", {})
    assert pd.read_parquet(tmp_path / "out.parquet")["a"].tolist() == [1, 3]
    with (
        pytest.raises(DataError, match=r"columns change their kind: .* Write \.csv or \.jsonl"),
        BlockWriter(tmp_path / "out.parquet", RUN) as writer,
    ):
        for table in (whole, text):
            writer.append(table, writer.encode(table), b"", {})


def test_what_csv_cannot_hold(tmp_path):
    table = pa.table({"lead_id": [1], "a": [[1, 2]]})
    with (
        pytest.raises(DataError, match=r"CSV cannot hold a column: .* Write \.parquet or \.jsonl"),
        BlockWriter(tmp_path / "out.csv", RUN) as writer,
    ):
        writer.encode(table)
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(DataError, match="Accepted endings"):
        BlockWriter(tmp_path / "out.xlsx", RUN)
    with pytest.raises(DataError, match="does not exist"):
        BlockWriter(tmp_path / "none" / "out.csv", RUN)
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        BlockWriter(tmp_path / "out.csv", RUN)
