from __future__ import annotations

import pytest

from monitor.tracking.track_verification import MIN_MESH_FITS, WINDOW_SAMPLES, FaceEvidence, TrackVerifier


def followed(*samples: tuple[bool | None, bool | None]) -> TrackVerifier:
    """Track 7, with what each sample says of (mesh, detector)."""
    verification = TrackVerifier()
    for mesh_fits, confirmed in samples:
        verification.update([FaceEvidence(7, mesh_fits, confirmed)], {7})
    return verification


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
def test_a_track_is_verified_by_the_mesh_or_by_the_detector(
    samples: list[tuple[bool | None, bool | None]], is_verified: bool
) -> None:
    assert followed(*samples).unverified == (set() if is_verified else {7})


def test_a_track_is_rejected_only_after_it_had_its_chance() -> None:
    assert followed(*[(False, False)] * (WINDOW_SAMPLES - 1)).rejected == set()
    assert followed(*[(False, False)] * WINDOW_SAMPLES).rejected == {7}
    assert followed((False, True), *[(False, False)] * WINDOW_SAMPLES).rejected == set()


def test_a_track_that_goes_on_under_another_number_keeps_what_was_learnt() -> None:
    for samples, unverified in (([(True, False)] * MIN_MESH_FITS, set()), ([(True, False)] * 2, {9})):
        verification = followed(*samples)
        verification.continue_track(7, 9)
        verification.update([], {9})
        assert verification.unverified == unverified
    verification.update([FaceEvidence(9, True, False)], {9})
    assert verification.unverified == set()


def test_memory_is_of_live_tracks_alone() -> None:
    verification = TrackVerifier()
    for number in range(50):
        verification.update([FaceEvidence(number, False, False)], {number})
    assert verification.unverified == {49}
