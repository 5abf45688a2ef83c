"""Addresses of streams with every character in a password, and texts without secrets."""

from __future__ import annotations

import string
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.address import looks_like_an_address, parse_stream_address, without_secrets
from monitor.sources.errors import AmbiguousAddress, MalformedAddress, UnsupportedAddress


@pytest.mark.parametrize("character", [*"#/?[]@:% &=+\\\"'<>{}|^`~!$*();,äß€"])
@pytest.mark.parametrize("place", ["{}wxyz", "wx{}yz", "wxyz{}", "wx{0}{0}yz"])
def test_password_with_any_character_is_taken_as_typed(character, place):
    password = place.format(character)
    address = parse_stream_address(f"rtsp://admin:{password}@10.0.0.7:554/s?x=1")
    assert (address.user, address.password) == ("admin", password)
    assert address.name == "rtsp://10.0.0.7:554/s"
    parts = urlsplit(address.url)
    assert (parts.hostname, parts.port, parts.path, parts.query) == ("10.0.0.7", 554, "/s", "x=1")
    assert unquote(parts.password or "") == password
    assert password not in repr(address)


@given(st.text(string.printable.strip() + " äß", min_size=1), st.text(string.ascii_letters, min_size=1))
def test_any_password_is_taken_as_typed_or_refused_without_a_part_of_it(password, user):
    secret = f"S3cr3t{password}S3cr3t"
    try:
        address = parse_stream_address(f"http://{user}:{secret}@camera.example:8080/a/b")
    except (AmbiguousAddress, MalformedAddress) as error:
        texts = error.hint, str(error)
    else:
        texts = "%23", address.name
    assert "%23" in texts[0]
    assert "S3cr3t" not in texts[1]
    if texts[0] != "%23":
        return
    assert address.name == "http://camera.example:8080/a/b"
    assert address.password == unquote(secret) or "%" in secret
    assert urlsplit(address.url).hostname == "camera.example"


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:12/34@10.0.0.7/s",
        "rtsp://admin:2026#x@10.0.0.7/s",
        "rtsp://admin:2026?x@10.0.0.7/s",
        "rtsp://admin:a@b/c@10.0.0.7/s",
        "https://tok/en@10.0.0.7/s",
    ],
)
def test_address_with_two_readings_is_refused_with_the_remedy(text):
    with pytest.raises(AmbiguousAddress) as caught:
        parse_stream_address(text)
    assert "# %23" in caught.value.hint
    assert "@ elsewhere as %40" in caught.value.hint
    assert not any(part in str(caught.value) for part in ("12/34", "2026", "10.0.0.7", "b/c"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rtsp://camera", "rtsp://camera"),
        ("RTSP://Camera:554/Live", "rtsp://camera:554/Live"),
        ("rtsps://u@camera/live", "rtsps://camera/live"),
        ("http://camera/clip@2x", "http://camera/clip@2x"),
        ("http://camera/video.mjpg?user=a&pwd=secret", "http://camera/video.mjpg"),
        ("http://camera/a#secret", "http://camera/a"),
        ("https://[fe80::1]:8080/a", "https://[fe80::1]:8080/a"),
        ("rtsp://a:b%2Fc@[fe80::1%eth0]/a", "rtsp://[fe80::1%eth0]/a"),
        ("rtsp://c/user=admin_password=secret_channel=1.sdp", "rtsp://c/user=admin_password=***"),
        ("http://c/token=secret/live", "http://c/token=***/live"),
    ],
)
def test_name_has_no_credentials(text, name):
    assert parse_stream_address(text).name == name


def test_encoded_credentials_are_decoded_once():
    address = parse_stream_address("rtsp://us%40er:p%23%2525%zz@camera/s")
    assert (address.user, address.password) == ("us@er", "p#%25%zz")
    assert address.url == "rtsp://us%40er:p%23%2525%25zz@camera/s"


def test_spaces_in_the_path_are_encoded():
    assert parse_stream_address("http://camera/a b?c=ü").url == "http://camera/a%20b?c=%C3%BC"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("rtsp://", MalformedAddress),
        ("rtsp://user:secret@", MalformedAddress),
        ("rtsp://user:secret@camera:port/live", MalformedAddress),
        ("rtsp://user:secret@camera:99999/live", MalformedAddress),
        ("rtsp://user:sec\nret@camera/live", MalformedAddress),
        ("ftp://user:secret@camera/live", UnsupportedAddress),
        ("rtmp://user:secret@camera/live", UnsupportedAddress),
        ("://user:secret@camera/live", UnsupportedAddress),
    ],
)
def test_invalid_address_is_refused_without_a_part_of_it(text, error):
    with pytest.raises(error) as caught:
        parse_stream_address(text)
    assert not any(part in str(caught.value) for part in ("sec", "ret", "user:s", "camera/live"))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rtsp:/admin:secret@camera/s", True),
        ("admin:secret@camera/s", True),
        ("http:camera", True),
        ("lecture.mp4", False),
        ("a@b.mp4", False),
        ("D:\\films\\a@b.mp4", False),
        ("10:30 lesson.mp4", False),
    ],
)
def test_mistyped_address_is_recognised(text, expected):
    assert looks_like_an_address(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error at rtsp://a:b#c/d?e [f]@10.0.0.7/s: refused", "error at rtsp://*** refused"),
        ("'http://a:b c\"d@camera/s?pwd=x' failed", "'http://camera/s' failed"),
        ("GET http://camera/s?pwd=x#y z", "GET http://camera/s z"),
        ("error at rtsp://a:b#c/d [f]@10.0.0.7/s: refused", "error at rtsp://10.0.0.7/s: refused"),
        ("rtsp:/a:b@camera/s", "rtsp:/camera/s"),
        ("mail to a@b.example", "mail to a@b.example"),
    ],
)
def test_without_secrets(text, expected):
    assert without_secrets(text) == expected
