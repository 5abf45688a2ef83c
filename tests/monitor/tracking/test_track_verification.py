from __future__ import annotations

import pytest

from monitor.tracking.track_verification import MIN_MESH_FITS, WINDOW_SAMPLES, FaceEvidence, TrackVerifier


def followed(*samples: tuple[bool | None, bool | None]) -> TrackVerifier:
    """Track 7 with (mesh fits, detector verified) of each frame."""
    verifier = TrackVerifier()
    for mesh_fits, detector_verified in samples:
        verifier.update([FaceEvidence(7, mesh_fits, detector_verified)], {7})
    return verifier


@pytest.mark.parametrize(
    ("samples", "is_verified"),
    [
        ([(False, False)] * 200, False),
        ([(False, None)] * 200, False),
        ([(True, False)] * (MIN_MESH_FITS - 1), False),
        ([(True, False)] * MIN_MESH_FITS, True),
        ([(False, False), (False, True)], True),
        ([(None, None)], True),
        # An object on which the mesh fits now and then.
        ([*[(False, False)] * (WINDOW_SAMPLES - 1), (True, False)] * 20, False),
        # A head that bows for a while after it was verified.
        ([*[(True, False)] * MIN_MESH_FITS, *[(False, False)] * 100], True),
    ],
    ids=[
        "never",
        "no second network",
        "too few",
        "mesh",
        "detector",
        "no mesh network",
        "now and then",
        "bows",
    ],
)
def test_track_is_verified_by_the_mesh_or_the_detector(
    samples: list[tuple[bool | None, bool | None]], is_verified: bool
) -> None:
    assert followed(*samples).unverified == (set() if is_verified else {7})


def test_track_is_rejected_after_the_full_window() -> None:
    assert followed(*[(False, False)] * (WINDOW_SAMPLES - 1)).rejected == set()
    assert followed(*[(False, False)] * WINDOW_SAMPLES).rejected == {7}
    assert followed((False, True), *[(False, False)] * WINDOW_SAMPLES).rejected == set()


def test_continued_track_keeps_its_evidence() -> None:
    for samples, unverified in (([(True, False)] * MIN_MESH_FITS, set()), ([(True, False)] * 2, {9})):
        verifier = followed(*samples)
        verifier.continue_track(7, 9)
        verifier.update([], {9})
        assert verifier.unverified == unverified
    verifier.update([FaceEvidence(9, True, False)], {9})
    assert verifier.unverified == set()


def test_memory_is_bounded_by_live_tracks() -> None:
    verifier = TrackVerifier()
    for number in range(50):
        verifier.update([FaceEvidence(number, False, False)], {number})
    assert verifier.unverified == {49}
