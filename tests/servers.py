"""Start a real PostgreSQL and a local Spark for tests; skip with a reason where there is none."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# an address must carry it through: `@`, `/`, `#`, `%` and a blank
PASSWORD = "p@ss/w#rd %41"  # noqa: S105
ZONE = "America/New_York"  # of the servers: no result depends on it


@dataclass(frozen=True)
class PostgresServer:
    """A running server with one user `crm`, whose password is `PASSWORD`, and one database."""

    port: int
    address: str

    def connect(self):
        import ibis

        return ibis.postgres.connect(
            user="crm", password=PASSWORD, host="127.0.0.1", port=self.port, database="postgres"
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server in a temporary folder, from the distribution's package."""
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    data, port = folder / "data", _free_port()
    try:
        _hand_over(folder)
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        start = [f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"]
        start += [f"-c timezone={ZONE}"]
        _run("initdb", "-D", data, "-U", "crm", "-A", "scram-sha-256", "-E", "UTF8", "--no-sync",
             f"--pwfile={folder / 'password'}")  # fmt: skip
        _run("pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", " ".join(start), "start")
        try:
            yield PostgresServer(
                port, f"postgresql://crm:${{CRM_PASSWORD}}@127.0.0.1:{port}/postgres"
            )
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def spark():
    """A local Spark session in a zone far from UTC."""
    sql = pytest.importorskip("pyspark.sql", reason="the extra `spark` is not installed")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Java is not installed: Spark needs Java 17")
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # not whatever `python3` is
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.session.timeZone": ZONE,
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": tempfile.mkdtemp(prefix="spark-"),
    }
    builder = sql.SparkSession.builder.master("local[2]").appName("leadml-tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
    shutil.rmtree(settings["spark.sql.warehouse.dir"], ignore_errors=True)


def _run(program: str, *arguments: object) -> None:
    command = [_find(program), *map(str, arguments)]
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        command = ["runuser", "-u", "postgres", "--", *command]
    # the server keeps its output open, so that a pipe would never end
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
        output.seek(0)
        assert done.returncode == 0, output.read().decode()


def _find(program: str) -> str:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    found = shutil.which(program) or (str(places[-1]) if places else None)
    if found is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return found


def _hand_over(folder: Path) -> None:
    """Give a folder to the user that PostgreSQL runs as."""
    if os.geteuid() != 0:
        return
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL is not installed: there is no user `postgres` to run it as")
    os.chown(folder, user.pw_uid, user.pw_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
