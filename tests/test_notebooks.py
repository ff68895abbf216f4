import tempfile
from pathlib import Path

import pytest

pytest.importorskip("nbclient", reason="needs the extra notebooks")
pytest.importorskip("leadforge", reason="needs the extra demo")

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LARGEST = 1_000_000  # bytes

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_notebooks():
    assert NOTEBOOKS


@every_notebook
def test_runs_from_a_clean_folder_without_errors(path, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    work = tmp_path / "work"
    work.mkdir()
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(work)}},
    )
    client.execute()  # raises at a cell that fails
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert list(work.iterdir()) == [], "a notebook writes into a temporary folder alone"


@every_notebook
def test_first_cell_says_what_its_reader_can_decide(path):
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert "decide" in first.source


@every_notebook
def test_is_kept_with_its_outputs_and_nothing_of_the_machine(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < LARGEST
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "run it in one go, from the first cell"
    assert all(not cell.metadata for cell in notebook.cells), "run times differ at each run"
    kept = path.read_text(encoding="utf-8")
    places = [tempfile.gettempdir(), str(Path.home()), str(path.parents[1]), "/Users/", "/home/"]
    assert [place for place in places if place in kept] == []
    assert " at 0x" not in kept, "an address in memory differs at each run: give it a __repr__"


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
