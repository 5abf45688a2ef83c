"""``classpulse model explore``: the page about a data set."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from classpulse.dataset_report.page import PAGE_NAME
from model.data.faces import Usage
from model.emotions import EMOTIONS
from tests.helpers.made_up_faces import draw_faces, write_archive, write_sheet
from tests.helpers.pages import Page

FACES = 42
SECTIONS = [
    "Data set",
    "Faces by label and split",
    "Examples",
    "FER2013’s labels and the raters of FER+",
    "Brightness, contrast and sharpness",
    "Duplicates",
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A contact sheet: labels in turn, eight of ten votes neutral, one PublicTest face also in Training."""
    folder = tmp_path / "data"
    folder.mkdir()
    images = draw_faces(FACES)
    images[40], images[7] = images[3], 0
    usage = np.array([Usage.TRAINING] * 28 + [Usage.PUBLIC_TEST] * 14)
    votes = np.tile((8, 1, 0, 1, 0, 0, 0, 0, 0, 0), (FACES, 1))
    votes[5] = (4, 4, 0, 2, 0, 0, 0, 0, 0, 0)
    write_sheet(folder, images, label=np.arange(FACES) % 7, usage=usage, ferplus_votes=votes)
    return folder


def explore(shell, data: Path, out: Path) -> tuple[str, Page]:
    code, _, error = shell("model", "explore", data, "--out", out)
    assert code == 0, error
    html = (out / PAGE_NAME).read_text("utf-8")
    return html, Page(html)


def text_of(page: Page) -> str:
    return page.text.replace("\N{NO-BREAK SPACE}", " ")


def test_explore_page_has_its_sections_and_is_well_formed(shell, data: Path, tmp_path: Path) -> None:
    html, page = explore(shell, data, tmp_path / "out")
    assert [heading for heading in page.headings if heading in SECTIONS] == SECTIONS
    assert page.problems == []
    assert html.startswith("<!DOCTYPE html>")
    assert page.tags.count("figure") == page.tags.count("svg") == 4 + 7 + 3
    labels = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label")]
    assert all(len(label) > 20 for label in labels)
    assert len(labels) == 14


def test_explore_page_loads_no_external_resource(shell, data: Path, tmp_path: Path) -> None:
    html, page = explore(shell, data, tmp_path / "out")
    assert not {"script", "link", "iframe", "object", "embed"} & set(page.tags)
    loading = {"src", "href", "xlink:href", "srcset", "action", "poster", "data"}
    targets = [value for _, name, value in page.attributes if name in loading]
    assert all(target.startswith(("#", "data:image/png;base64,")) for target in targets)
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))


def test_explore_writes_no_face_files(shell, data: Path, tmp_path: Path) -> None:
    explore(shell, data, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {PAGE_NAME, "counts.png", "agreement.png", "raters.png", "brightness.png"}
    assert all((tmp_path / "out" / n).read_bytes()[:4] == b"\x89PNG" for n in names - {PAGE_NAME})


def test_explore_page_is_reproducible(shell, data: Path, tmp_path: Path) -> None:
    first, _ = explore(shell, data, tmp_path / "one")
    second, _ = explore(shell, data, tmp_path / "two")
    assert first == second


def test_explore_page_shows_the_statistics(shell, data: Path, tmp_path: Path) -> None:
    facts = shell.json("model", "explore", data, "--out", tmp_path / "facts")
    _, page = explore(shell, data, tmp_path / "out")
    for index, label in enumerate(EMOTIONS):
        training, public = (split["classes"][index] for split in facts["splits"])
        row = next(row for row in page.table if row[0] == label)
        assert row[1::2] == [str(training), str(public)]
    agreement = facts["agreement"]
    assert (agreement["with_majority"], agreement["matching"]) == (41, 6)
    assert "41 (98 %) have a majority, and on 15 % of those" in text_of(page)
    assert "1 (2 %) of the faces have no majority (tie 1)" in text_of(page)
    copies = next(row for row in page.table if row[0] == "identical or nearly so")
    counts = facts["near_duplicates"]
    assert (
        copies[1:4] == [str(counts[key]) for key in ("groups", "faces", "across_splits")] == ["1", "2", "1"]
    )
    assert "1 (7 %) of the faces of PublicTest are also in Training" in text_of(page)
    assert "gains up to 7.1 points" in text_of(page)
    assert (
        "Of the faces labelled sad that have a majority, the raters call 100 % neutral and 0 % sad."
        in text_of(page)
    )
    assert "1 face is almost uniformly grey." in text_of(page)


def test_explore_without_votes_states_it(shell, tmp_path: Path) -> None:
    path = write_archive(tmp_path / "faces.npz", draw_faces(14), label=np.arange(14) % 7)
    _, page = explore(shell, path, tmp_path / "out")
    assert "The data has no votes" in page.text
    assert "does not state which faces are for training" in page.text
    assert "the faces have no answers. The faces show real people" in page.text
    assert "have a majority" not in page.text
    assert "hardly affects" not in page.text
    assert "with two majorities" not in page.text
    assert "Faces on which the raters contradict FER2013 most" not in page.headings
    assert not (tmp_path / "out" / "agreement.png").exists()
    facts = shell.json("model", "explore", path, "--out", tmp_path / "facts")
    assert facts["agreement"] is None
    assert facts["near_duplicates"]["shared_with_training"] == {}


def test_explore_one_split_has_no_comparison(shell, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_sheet(tmp_path / "data", draw_faces(14), label=np.arange(14) % 7)
    _, page = explore(shell, tmp_path / "data", tmp_path / "out")
    assert "Only Training is present" in page.text
    assert "copies between them are unknown" in page.text
    assert "whether the splits look alike" in page.text
    assert "groups across splits" not in page.text
    assert "also in Training" not in page.text


def test_explore_label_without_faces_is_named(shell, tmp_path: Path) -> None:
    path = write_archive(tmp_path / "faces.npz", draw_faces(4), label=np.array([3, 3, 3, 6]))
    _, page = explore(shell, path, tmp_path / "out")
    assert "No face is labelled angry, disgust, fear, sad and surprise" in page.text
    assert "The rarest label is neutral" in page.text


def test_explore_escapes_the_path(shell, tmp_path: Path) -> None:
    path = tmp_path / "<b>faces & [red]co"
    path.mkdir()
    write_sheet(path, draw_faces(7), label=np.arange(7))
    _, page = explore(shell, path, tmp_path / "out")
    assert "b" not in page.tags
    assert str(path) in page.text


def test_explore_prints_a_table_and_the_path(shell, data: Path, tmp_path: Path) -> None:
    code, out, error = shell("model", "explore", data)
    assert code == 0
    assert "searching 42 faces" in error
    assert "28 (67\N{NO-BREAK SPACE}%)" in out
    assert "PublicTest, also in Training" in out
    assert str(Path("explore") / PAGE_NAME) in out
    assert (tmp_path / "explore" / PAGE_NAME).is_file()


def test_explore_missing_path_fails(shell, tmp_path: Path) -> None:
    assert "nowhere does not exist" in shell.fails(2, "model", "explore", "nowhere")
    assert not (tmp_path / "explore").exists()


def test_explore_without_faces_fails(shell, tmp_path: Path) -> None:
    path = write_archive(tmp_path / "faces.npz", draw_faces(0))
    assert "no face" in shell.fails(2, "model", "explore", path)


def test_explore_unwritable_folder_fails(shell, data: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert "cannot be written" in shell.fails(1, "model", "explore", data, "--out", tmp_path / "taken" / "in")


def test_explore_fer2013(shell, shared: Path, tmp_path: Path) -> None:
    _, page = explore(shell, shared / "data", tmp_path / "out")
    assert "On 66 % of the faces with a majority of the FER+ raters" in text_of(page)
    assert (
        "Of the faces labelled sad that have a majority, the raters call 51 % neutral and 44 % sad."
        in text_of(page)
    )
    assert (tmp_path / "out" / PAGE_NAME).stat().st_size < 2_000_000
