"""``classpulse report``: session, paper, folder, database and language."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from pypdf import PdfReader
from sqlalchemy import MetaData, create_engine, insert, select

from classpulse.config.settings import Settings
from classpulse.config.template import render_config
from classpulse.errors import SettingsError, UnknownName
from classpulse.simulation.term.names import PseudonymStyle
from classpulse.simulation.term.writer import SimulatedTerm, TermSettings
from db.engine import open_database
from db.errors import NotFound, SchemaTooNew
from db.migrations import runner as revision
from db.schema import HEAD_REVISION
from reports.errors import ReportError

ROOT = Path(__file__).resolve().parents[4]
FORMS = ("html", "pdf", "csv", "json")
SETTINGS = {
    "database": {"url": "sqlite:///class.db"},
    "output": {"folder": "reports", "time_zone": "Europe/Zurich"},
}
SMALL = TermSettings(students=3, weeks=1, minutes=4, names=PseudonymStyle.SCRIPTS, interrupted=1)
REVISIONS = sorted(script.revision for script in revision.script_directory().walk_revisions())


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    """A folder with settings and two classes: sessions 1 and 2 of Physics 10b, 3 and 4 of Chemistry."""
    folder = tmp_path_factory.mktemp("term")
    (folder / "config.yaml").write_text(render_config(Settings.model_validate(SETTINGS)), "utf-8")
    engine = open_database(f"sqlite:///{folder}/class.db")
    for name in ("Physics 10b", "Chemistry"):
        SimulatedTerm(replace(SMALL, class_name=name)).write(engine)
    engine.dispose()
    return folder


@pytest.fixture
def school(recorded, tmp_path) -> Path:
    """A copy of ``recorded`` that a test may change."""
    return Path(shutil.copytree(recorded, tmp_path / "school"))


@pytest.fixture
def report(school, shell):
    def make(*arguments: str | Path, forms: tuple[str, ...] = ("json",)):
        chosen = [part for form in forms for part in ("--format", form)]
        return shell.json("--config", school / "config.yaml", "report", *arguments, *chosen)

    return make


@pytest.fixture
def raises(school, shell):
    def fail(kind, *arguments: str | Path):
        return shell.raises(
            kind, "--config", school / "config.yaml", "report", "--format", "html", *arguments
        )

    return fail


class TestWhichSession:
    @pytest.mark.parametrize(
        ("named", "number"),
        [("last", 4), ("1", 1), ("Physics 10b", 2), ("physics 10B", 2), ("Chemistry", 4)],
    )
    def test_number_or_class_selects_the_session(self, report, named, number) -> None:
        assert report(named)["session"] == number

    def test_number_precedes_class_name(self, school, report) -> None:
        with closing(sqlite3.connect(school / "class.db")) as connection, connection:
            connection.execute("UPDATE class_groups SET name = '1' WHERE name = 'Chemistry'")
            connection.execute("UPDATE class_groups SET name = '10' WHERE name = 'Physics 10b'")
        assert report("1")["session"] == 1
        assert report("10")["session"] == 2

    @pytest.mark.parametrize(("number", "near"), [("99", "2, 3, 4"), ("0", "1, 2, 3")])
    def test_unknown_number_hint_has_the_nearest(self, raises, number, near) -> None:
        assert near in raises(NotFound, number).hint

    @pytest.mark.parametrize("name", ["Physcs 10b", "physik 10b", "-"])
    def test_unknown_class_error_has_the_nearest(self, raises, name) -> None:
        error = raises(UnknownName, name)
        assert error.name == name
        assert error.choices == ("Physics 10b", "Chemistry") or name == "-"

    def test_empty_database_fails(self, tmp_path, shell) -> None:
        (tmp_path / "config.yaml").write_text("database: {url: 'sqlite:///none.db'}\n")
        shell.raises(NotFound, "report", "last")
        shell.raises(NotFound, "report", "3")
        assert shell.raises(UnknownName, "report", "Physics").choices == ()


class TestPaper:
    def size(self, path: str) -> tuple[int, int]:
        box = PdfReader(path).pages[0].mediabox
        return round(box.width), round(box.height)

    def test_paper_setting_and_option(self, school, report) -> None:
        assert self.size(report("1", forms=("pdf",))["report"]["pdf"]) == (595, 842)
        assert self.size(report("1", "--paper", "letter", forms=("pdf",))["report"]["pdf"]) == (612, 792)
        path = school / "config.yaml"
        path.write_text(path.read_text("utf-8").replace('paper: "a4"', "paper: letter"), "utf-8")
        assert self.size(report("1", forms=("pdf",))["report"]["pdf"]) == (612, 792)
        assert self.size(report("1", "--paper", "a4", forms=("pdf",))["report"]["pdf"]) == (595, 842)

    def test_unknown_paper_fails(self, school, shell) -> None:
        assert "'a4', 'letter'" in shell.fails(
            2, "--config", school / "config.yaml", "report", "--paper", "a5"
        )


class TestOutputFolder:
    def test_deleted_folder_is_created_again(self, school, report) -> None:
        report("1")
        shutil.rmtree(school / "reports")
        assert Path(report("1")["report"]["json"]).is_file()

    @pytest.mark.parametrize("out", ["class.db", "class.db/inside"])
    def test_file_as_folder_fails(self, school, shell, out) -> None:
        code = 2 if out == "class.db" else 1
        config = school / "config.yaml"
        assert "class.db" in shell.fails(code, "--config", config, "report", "--out", school / out)
        assert (school / "class.db").stat().st_size > 0

    @pytest.mark.skipif(
        not Path("/proc/self").exists(), reason="needs a place where no folder can be created"
    )
    def test_missing_disk_fails(self, raises) -> None:
        assert "/proc/gone/report.html" in raises(ReportError, "--out", "/proc/gone").problem

    @pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
    def test_unwritable_folder_fails(self, raises, monkeypatch, tmp_path, number) -> None:
        def refuse(**_: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("reports.rendering.atomic_write.tempfile.mkstemp", refuse)
        assert os.strerror(number) in raises(ReportError, "--out", tmp_path / "out").problem


class TestDatabases:
    def older(self, school: Path, schema: str) -> None:
        """The database of ``school`` as the version that knew ``schema`` would have written it."""
        was = (school / "class.db").rename(school / "was.db")
        engine = create_engine(f"sqlite:///{school}/class.db")
        with engine.begin() as connection:
            settings = revision.alembic_config()
            settings.attributes["connection"] = connection
            command.upgrade(settings, schema)
        source, old, new = create_engine(f"sqlite:///{was}"), MetaData(), MetaData()
        old.reflect(engine)
        new.reflect(source)
        with source.connect() as reading, engine.begin() as writing:
            for table in old.sorted_tables:
                if table.name == "alembic_version":
                    continue
                columns = [new.tables[table.name].columns[column.name] for column in table.columns]
                rows = [dict(row._mapping) for row in reading.execute(select(*columns))]
                if rows:
                    writing.execute(insert(table), rows)
        engine.dispose()
        source.dispose()

    @pytest.mark.parametrize("schema", REVISIONS)
    def test_every_schema_version_is_migrated_and_reported(self, school, report, schema) -> None:
        self.older(school, schema)
        paths = report("1", forms=FORMS)["report"]
        assert Path(paths["html"]).read_text("utf-8").count("<svg") >= 2
        assert len(PdfReader(paths["pdf"]).pages) >= 2
        with closing(sqlite3.connect(school / "class.db")) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
                (HEAD_REVISION,)
            ]

    def test_newer_schema_is_rejected(self, school, raises) -> None:
        with closing(sqlite3.connect(school / "class.db")) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        assert "9999" in raises(SchemaTooNew, "1").problem


def in_a_process(folder: Path, seed: str, zone: str) -> dict[str, bytes]:
    """The report in all formats, from a process with this hash seed and time zone."""
    command_line = [
        sys.executable,
        "-m",
        "classpulse",
        "--config",
        str(folder / "config.yaml"),
        "report",
        "1",
    ]
    command_line += [part for form in FORMS for part in ("--format", form)]
    # The creation time on the pages is SOURCE_DATE_EPOCH.
    more = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "TZ": zone, "SOURCE_DATE_EPOCH": "1767225600"}
    subprocess.run(command_line, cwd=folder, env=os.environ | more, check=True, capture_output=True)
    return {form: (folder / f"reports/session-0001/report.{form}").read_bytes() for form in FORMS}


def test_report_is_reproducible_byte_for_byte(recorded, tmp_path) -> None:
    folders = [Path(shutil.copytree(recorded, tmp_path / name)) for name in ("here", "and over there")]
    one = in_a_process(folders[0], "1", "UTC")
    other = in_a_process(folders[1], "4711", "Asia/Tokyo")
    again = in_a_process(folders[1], "4712", "UTC")
    for form in FORMS:
        assert one[form] == other[form], form
        assert again[form] == other[form], f"{form}: repeated, with stored flags"


class TestLanguage:
    def test_other_language_is_written_beside_english(self, report):
        english = report("1", forms=("html", "json"))["report"]
        german = report("1", "--language", "de", forms=FORMS)["report"]
        names = {kind: Path(path).name for kind, path in german.items()}
        assert names == {
            "html": "report.de.html", "pdf": "report.de.pdf", "csv": "report.csv", "json": "report.json",
        }  # fmt: skip
        assert Path(german["html"]).parent == Path(english["html"]).parent
        assert '<html lang="de">' in Path(german["html"]).read_text("utf-8")
        assert '<html lang="en-GB">' in Path(english["html"]).read_text("utf-8")
        pdf = PdfReader(german["pdf"])
        assert pdf.root_object["/Lang"] == "de"
        assert "Seite 1 von" in pdf.pages[0].extract_text()

    def test_language_defaults_to_the_settings(self, report, school):
        settings = school / "config.yaml"
        settings.write_text(settings.read_text("utf-8").replace("language: en", "language: de"), "utf-8")
        german = Path(report("1", forms=("html",))["report"]["html"])
        assert german.name == "report.de.html"
        assert Path(report("1", "--language", "en", forms=("html",))["report"]["html"]).name == "report.html"

    def test_unknown_language_fails(self, school, shell):
        settings = school / "config.yaml"
        line = shell.fails(2, "--config", settings, "report", "1", "--language", "fr")
        assert "'fr' is not one of 'en', 'de'" in line
        settings.write_text(settings.read_text("utf-8").replace("language: en", "language: fr"), "utf-8")
        assert shell.raises(SettingsError, "--config", settings, "report", "1").key == "output.language"
