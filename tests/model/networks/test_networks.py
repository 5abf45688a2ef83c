"""The bundled networks: their files, hashes, licences and readers."""

from __future__ import annotations

import hashlib
import importlib
import re
from pathlib import Path

import pytest

from model import networks
from model.errors import NetworkFileError
from model.networks import FACE_LANDMARK, NETWORKS, BundledNetwork

FOLDER = Path(networks.__file__).parent
LICENCE_FILES = {"Apache-2.0": "LICENSE-Apache-2.0.txt", "MIT": "LICENSE-YuNet.txt"}
README = (FOLDER / "README.md").read_text(encoding="utf-8")

every_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.file)


@every_network
def test_file_has_its_hash(network: BundledNetwork) -> None:
    assert hashlib.sha256(network.read()).hexdigest() == network.sha256


@every_network
def test_readme_has_a_row_with_all_facts(network: BundledNetwork) -> None:
    (row,) = re.findall(rf"^\| `{re.escape(network.file)}` .*", README, re.MULTILINE)
    for fact in (network.source, network.version, network.sha256, network.reader or "nothing yet"):
        assert fact in row
    assert f"[{network.licence}]({LICENCE_FILES[network.licence]})" in row


@every_network
def test_notice_names_the_file_and_its_licence(network: BundledNetwork) -> None:
    sections = (FOLDER / "NOTICE").read_text(encoding="utf-8").split("\n\n")
    (section,) = [section for section in sections if network.file in section]
    assert LICENCE_FILES[network.licence] in section
    assert "Copyright" in section


@every_network
def test_reader_uses_the_network(network: BundledNetwork) -> None:
    if network.reader:
        module = importlib.import_module(network.reader)
        used = [value for value in vars(module).values() if isinstance(value, BundledNetwork)]
        assert network in used


def test_folder_contains_no_other_network() -> None:
    found = {path.name for path in FOLDER.iterdir() if path.suffix in {".tflite", ".onnx", ".task"}}
    assert found == {network.file for network in NETWORKS}


def test_licence_texts_are_complete() -> None:
    apache = (FOLDER / "LICENSE-Apache-2.0.txt").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in apache
    assert "END OF TERMS AND CONDITIONS" in apache
    assert "Copyright (c) 2020 Shiqi Yu" in (FOLDER / "LICENSE-YuNet.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content", [None, b"", b"<html>404</html>"], ids=["missing", "empty", "another file"]
)
def test_missing_or_changed_file_raises(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "_FOLDER", tmp_path)
    if content is not None:
        (tmp_path / FACE_LANDMARK.file).write_bytes(content)
    with pytest.raises(NetworkFileError) as caught:
        FACE_LANDMARK.read()
    assert caught.value.file == FACE_LANDMARK.file
    assert "\n" not in str(caught.value)
