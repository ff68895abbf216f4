from typer.testing import CliRunner

from leadml.cli.app import app
from leadml.errors import DataError


def run(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def test_a_model_becomes_a_file(model_folder, tmp_path):
    out = tmp_path / "score.sql"
    result = run(model_folder, "--dialect", "duckdb", "--features", "job_title", "-o", out)
    assert result.exit_code == 0, result.output
    assert "SELECT" in out.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["score.sql"]


def test_what_cannot_be_written_is_told(model_folder, tmp_path):
    given = ["--dialect", "duckdb", "--features", "job_title", "-o"]
    result = run(model_folder, *given, tmp_path / "nowhere" / "score.sql")
    assert isinstance(result.exception, DataError)
    assert "does not exist. Create it" in str(result.exception)


def test_a_title_that_sql_cannot_read_is_told(model_folder, tmp_path):
    result = run(model_folder, "--dialect", "spark", "-o", tmp_path / "x.sql")
    assert isinstance(result.exception, DataError)
    assert "--features" in str(result.exception)
    assert not (tmp_path / "x.sql").exists()
