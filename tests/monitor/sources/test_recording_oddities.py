"""Recordings of the kinds that users of similar tools report (``docs/explanation/recordings.md``)."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from monitor.imaging import image_size
from monitor.sources import video_file
from monitor.sources.errors import NoSuchTrack, RecordingTooLong, VideoTruncated
from monitor.sources.video_file import VideoFile
from monitor.types import Frame, Gap, GapReason, ImageBGR
from tests.helpers.matroska import write_matroska
from tests.helpers.recordings import (
    Unseekable,
    set_display_matrix,
    write_resized,
    write_tracks,
    write_with_sound,
)
from tests.helpers.videos import corner_mark, cut_off, noise, steps, write_video

STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR_S = 3600.0


class Reading:
    """What a source yields for one file."""

    def __init__(self, path: Path, sample_fps: float = 2, track: int | None = None) -> None:
        with VideoFile(path, STARTED, track) as source:
            items = list(source.frames(sample_fps, threading.Event()))
            self.notes = [text for _, text in source.pop_notes()]
            self.frames_dropped = source.frames_dropped
            self.expected_s = source.expected_s
        self.frames = [item for item in items if isinstance(item, Frame)]
        self.gaps = [item for item in items if isinstance(item, Gap)]
        self.times = [round(frame.media_s, 3) for frame in self.frames]


def tenths(count: int, start_s: float = 100.0) -> list[float]:
    return [start_s + index / 10 for index in range(count)]


@pytest.mark.parametrize("wrong", [range(60, 61), range(60, 70), range(59, 62)])
@pytest.mark.parametrize("shift_s", [HOUR_S, 5 * HOUR_S, 1e7, -90.0])
def test_outliers_are_dropped_and_noted(tmp_path, wrong, shift_s):
    times_s = [time_s + shift_s * (index in wrong) for index, time_s in enumerate(tenths(120))]
    reading = Reading(write_matroska(tmp_path / "a.mkv", steps(120), times_s), 10)
    assert reading.times == [round(index / 10, 3) for index in range(120) if index not in wrong]
    assert reading.frames_dropped == len(wrong)
    assert len(reading.notes) == 1


def test_outlier_in_an_mp4_is_dropped(tmp_path):
    """As in a recording of a media server: only the presentation time is wrong."""
    path = tmp_path / "a.mp4"
    source = write_video(tmp_path / "b.mp4", steps(120), options={"bf": "0"})
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        packets = [packet for packet in old.demux(old.streams.video[0]) if packet.size]
        for index, packet in enumerate(packets):
            if index == 62:
                packet.pts += round(HOUR_S / packet.time_base)
            packet.stream = stream
            new.mux(packet)
    reading = Reading(path)
    assert reading.times == [round(index / 2, 3) for index in range(24)]
    assert (reading.frames_dropped, len(reading.notes)) == (1, 1)


@pytest.mark.parametrize("jump_s", [HOUR_S, 24 * HOUR_S, 1e7])
def test_permanent_jump_is_not_counted_and_noted(tmp_path, jump_s):
    times_s = [*tenths(60), *tenths(60, 106 + jump_s)]
    reading = Reading(write_matroska(tmp_path / "a.mkv", steps(120), times_s, duration_s=times_s[-1]))
    assert reading.times == [round(index / 2, 3) for index in range(24)]
    assert reading.gaps == []
    [note] = reading.notes
    assert "jumps ahead" in note


def test_pause_is_a_gap_and_noted(tmp_path):
    times_s = [*tenths(60), *tenths(60, 706)]
    reading = Reading(write_matroska(tmp_path / "a.mkv", steps(120), times_s))
    assert reading.times[-1] == pytest.approx(611.5, abs=0.1)
    [gap] = reading.gaps
    assert (gap.start_s, gap.end_s) == (pytest.approx(6, abs=0.2), pytest.approx(606, abs=0.01))
    assert gap.reason is GapReason.NO_FRAMES
    [note] = reading.notes
    assert "paused, or its clock jumped" in note


@pytest.mark.parametrize("start_s", [0.0, 95440.0])
def test_mpeg_ts_of_joined_files_and_wrapped_clock(tmp_path, start_s):
    """33 bits at 90 kHz are 95 443.7 s."""
    times_s = [start_s + index / 10 for index in range(80)]
    first = write_video(tmp_path / "a.ts", steps(80), times_s=times_s, options={"bf": "0"})
    if start_s:
        reading = Reading(first)
        assert reading.times == [round(index / 2, 3) for index in range(16)]
        return
    second = write_video(tmp_path / "b.ts", steps(80), times_s=times_s, options={"bf": "0"})
    first.write_bytes(first.read_bytes() + second.read_bytes())
    reading = Reading(first)
    assert reading.times[-1] == pytest.approx(15.5, abs=0.3)
    assert len(reading.times) == pytest.approx(32, abs=1)
    [note] = reading.notes
    assert "goes back" in note


def test_repeated_timestamps_do_not_shorten_the_recording(tmp_path):
    times_s = [100.0] * 100
    reading = Reading(write_matroska(tmp_path / "a.mkv", steps(100), times_s, frame_s=0.1))
    assert reading.times[-1] == pytest.approx(9.5, abs=0.6)
    [note] = reading.notes
    assert "do not advance" in note


def test_missing_timestamps_are_noted(tmp_path):
    reading = Reading(write_video(tmp_path / "bare.h264", steps(100), fps=25, options={"bf": "0"}))
    assert reading.times == pytest.approx([index / 2 for index in range(8)], abs=0.04)
    [note] = reading.notes
    assert "without timestamps" in note


def test_recording_of_more_than_a_day_is_cut_with_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(video_file, "MAX_RECORDING_S", 5.0)
    path = write_matroska(tmp_path / "a.mkv", steps(80), tenths(80))
    times = []
    with VideoFile(path, STARTED) as source, pytest.raises(RecordingTooLong) as caught:
        times.extend(item.media_s for item in source.frames(2, threading.Event()))
    assert caught.value.position_s == 5.0
    assert caught.value.hint


def test_too_fast_timestamps_are_noted(tmp_path):
    times_s = [100 + index / 1000 for index in range(500)]
    reading = Reading(write_matroska(tmp_path / "a.mkv", steps(500), times_s))
    assert any("500 frames in 0.5 s" in note for note in reading.notes)


def face(size: int) -> ImageBGR:
    """An image with a bright square in the middle third."""
    image = np.full((size * 3 // 4, size, 3), 40, np.uint8)
    image[size // 4 : size // 2, size // 3 : 2 * size // 3] = 220
    return image


@pytest.mark.parametrize(
    "sizes",
    [(320, 160, 320), (160, 320), (80, 160, 320, 160), (320, 80)],
    ids=["down and up", "up", "growing call", "down"],
)
@pytest.mark.parametrize("suffix", ["webm", "mkv"])
def test_changing_size_gives_images_of_one_size(tmp_path, sizes, suffix):
    path = tmp_path / f"a.{suffix}"
    images = [face(size) for size in sizes for _ in range(10)]
    if suffix == "webm":
        write_resized(path, images)
    else:
        write_matroska(path, images, tenths(len(images)))
    reading = Reading(path)
    assert {image_size(frame.image_bgr) for frame in reading.frames} == {(320, 240)}
    for frame in reading.frames:
        bright = np.argwhere(frame.image_bgr[:, :, 0] > 130)
        assert bright.min(axis=0) == pytest.approx((80, 107), abs=8)
        assert bright.max(axis=0) == pytest.approx((160, 213), abs=8)
    assert reading.notes[0].startswith(f"frame size changes from {sizes[0]}x")
    assert "fitted into 320x240" in reading.notes[0]
    assert len(reading.notes) == (2 if len(sizes) > 2 else 1)


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(2), Fraction(16, 11), Fraction(10, 11)])
def test_pixels_become_square(tmp_path, aspect):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        for index, image in enumerate(steps(10, 96, 96)):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    reading = Reading(path)
    width, height = image_size(reading.frames[0].image_bgr)
    assert width / height == pytest.approx(float(aspect), rel=0.02)
    assert reading.notes == []


def test_pixel_aspect_of_the_container_is_used(tmp_path):
    reading = Reading(write_matroska(tmp_path / "a.mkv", steps(20, 48, 48), tenths(20), display=(64, 48)))
    assert image_size(reading.frames[0].image_bgr) == (64, 48)


def test_implausible_pixel_aspect_is_noted(tmp_path):
    path = write_matroska(tmp_path / "a.mkv", steps(20, 48, 48), tenths(20), display=(48000, 48))
    reading = Reading(path)
    assert image_size(reading.frames[0].image_bgr) == (48, 48)
    [note] = reading.notes
    assert "1000:1" in note


@pytest.mark.parametrize(
    ("values", "bright"),
    [
        ((-1, 0, 0, 1), "top right"),
        ((1, 0, 0, -1), "bottom left"),
        ((0, 1, 1, 0), "top left"),
        ((0, -1, -1, 0), "bottom right"),
        ((0, 1, -1, 0), "top right"),
        ((-1, 0, 0, -1), "bottom right"),
    ],
)
def test_display_matrix_is_applied(tmp_path, values, bright):
    path = set_display_matrix(write_video(tmp_path / "a.mp4", [corner_mark(64, 48)] * 2), *values)
    reading = Reading(path)
    image = reading.frames[0].image_bgr
    assert image_size(image) == ((48, 64) if values[0] == 0 else (64, 48))
    height, width = image.shape[0] // 2, image.shape[1] // 2
    quarters = {
        f"{row} {column}": image[top : top + height, left : left + width].mean()
        for row, top in (("top", 0), ("bottom", height))
        for column, left in (("left", 0), ("right", width))
    }
    assert max(quarters, key=lambda name: quarters[name]) == bright
    assert reading.notes == []


@pytest.mark.parametrize(("values", "text"), [((0.87, 0.5, -0.5, 0.87), "30°"), ((0, 0, 0, 0), "invalid")])
def test_unusual_display_matrix_is_noted(tmp_path, values, text):
    path = set_display_matrix(write_video(tmp_path / "a.mp4", [corner_mark(64, 48)] * 20), *values)
    [note] = Reading(path).notes
    assert text in note


def test_variable_rate_with_b_frames_uses_every_frame_of_the_slow_part(tmp_path):
    times_s = [index / 30 for index in range(180)] + [6.0 + index for index in range(12)]
    options = {"bf": "3", "b-adapt": "0", "g": "300", "sc_threshold": "0"}
    path = write_video(tmp_path / "a.mp4", noise(192), times_s=times_s, options=options, fps=30)
    reading = Reading(path)
    assert reading.times[-12:] == [6.0 + index for index in range(12)]
    assert len(reading.times) == 24


@pytest.mark.parametrize("sample_fps", [1, 2, 5])
@pytest.mark.parametrize("seed", range(4))
def test_variable_rate_gives_the_samples_of_a_full_decoding(tmp_path, monkeypatch, sample_fps, seed):
    rng = np.random.default_rng(seed)
    intervals = rng.choice([1 / 30, 0.1, 0.5, 1.0], size=150, p=[0.7, 0.15, 0.1, 0.05])
    times_s = [0.0, *np.cumsum(intervals)]
    options = {"bf": str(seed + 1), "b-adapt": "0", "g": "60"}
    path = write_video(tmp_path / "a.mp4", noise(151), times_s=times_s, options=options, fps=30)
    spared = Reading(path, sample_fps)
    monkeypatch.setattr(video_file, "with_need", lambda packets, _: ((packet, True) for packet in packets))
    complete = Reading(path, sample_fps)
    assert spared.times == complete.times
    for one, other in zip(spared.frames, complete.frames, strict=True):
        np.testing.assert_array_equal(one.image_bgr, other.image_bgr)


def test_unneeded_frames_are_not_decoded(tmp_path, monkeypatch):
    options = {"bf": "3", "b-adapt": "0", "b-pyramid": "none"}
    path = write_video(tmp_path / "a.mp4", noise(240), fps=30, options=options)
    needed = []
    original = video_file.with_need

    def count(packets, sample_fps):
        for packet, is_needed in original(packets, sample_fps):
            needed.append(is_needed)
            yield packet, is_needed

    monkeypatch.setattr(video_file, "with_need", count)
    assert len(Reading(path).times) == 16
    assert sum(needed) <= 20


@pytest.mark.parametrize(("default", "chosen"), [(None, 1), (0, 1), (1, 2)])
def test_one_of_several_tracks_is_chosen_and_noted(tmp_path, default, chosen):
    path = write_tracks(tmp_path / "a.mkv", [steps(20, 64, 48), steps(20, 96, 64)], default)
    sizes = {1: (64, 48), 2: (96, 64)}
    reading = Reading(path)
    assert image_size(reading.frames[0].image_bgr) == sizes[chosen]
    [note] = reading.notes
    assert f"track {chosen} was analysed" in note
    assert "--track" in note
    for track in (1, 2):
        assert image_size(Reading(path, track=track).frames[0].image_bgr) == sizes[track]


@pytest.mark.parametrize(("track", "count"), [(3, 2), (2, 1), (0, 1)])
def test_unknown_track_is_an_error(tmp_path, track, count):
    path = write_tracks(tmp_path / "a.mkv", [steps(5)] * count)
    with pytest.raises(NoSuchTrack) as caught:
        VideoFile(path, STARTED, track)
    assert (caught.value.track, caught.value.count) == (track, count)


SOUND_LONGER = {
    "flv": {"container_format": "flv"},
    "asf": {"container_format": "asf", "video_codec": "msmpeg4", "audio_codec": "mp2"},
    "mp4": {"options": {"movflags": "faststart"}},
    "mkv": {},
    "webm": {"video_codec": "libvpx", "audio_codec": "libopus", "rate": 48000},
    "avi": {"video_codec": "mpeg4", "audio_codec": "mp2"},
    "ts": {},
}


@pytest.mark.parametrize("suffix", SOUND_LONGER)
def test_picture_that_ends_before_the_sound_is_complete(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write_with_sound(path, steps(60), sound_s=20, **SOUND_LONGER[suffix])
    reading = Reading(path)
    assert reading.times == [round(index / 2, 3) for index in range(12)]
    assert all("sound goes on" in note for note in reading.notes)


def test_webm_without_durations_is_complete(tmp_path):
    """As the recorder of a browser writes it."""
    path = tmp_path / "a.webm"
    file = Unseekable(path)
    write_with_sound(
        file,
        steps(60),
        sound_s=20,
        video_codec="libvpx",
        audio_codec="libopus",
        rate=48000,
        container_format="webm",
    )
    file.close()
    reading = Reading(path)
    assert reading.times == [round(index / 2, 3) for index in range(12)]


@pytest.mark.parametrize("suffix", ["flv", "mkv", "mp4"])
def test_truncated_recording_with_sound_is_still_found(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write_with_sound(path, noise(100), sound_s=10, **SOUND_LONGER[suffix])
    with pytest.raises(VideoTruncated):
        Reading(cut_off(path, 0.6))


def test_notes_are_taken_once(tmp_path):
    path = write_tracks(tmp_path / "a.mkv", [steps(5)] * 2)
    with VideoFile(path, STARTED) as source:
        assert [len(source.pop_notes()) for _ in itertools.repeat(None, 2)] == [1, 0]
