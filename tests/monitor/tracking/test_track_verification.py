from __future__ import annotations

import pytest

from monitor.tracking.track_verification import MESH_FITS, RECENT, Evidence, TrackVerification


def followed(*samples: tuple[bool | None, bool | None]) -> TrackVerification:
    """Track 7, with what each sample says of (mesh, detector)."""
    verification = TrackVerification()
    for mesh_fits, confirmed in samples:
        verification.update([Evidence(7, mesh_fits, confirmed)], {7})
    return verification


@pytest.mark.parametrize(
    ("samples", "is_verified"),
    [
        ([(False, False)] * 200, False),
        ([(False, None)] * 200, False),
        ([(True, False)] * (MESH_FITS - 1), False),
        ([(True, False)] * MESH_FITS, True),
        ([(False, False), (False, True)], True),
        ([(None, None)], True),
        # An object on which the mesh fits now and then.
        ([*[(False, False)] * (RECENT - 1), (True, False)] * 20, False),
        # A head that bows for a while after it was verified.
        ([*[(True, False)] * MESH_FITS, *[(False, False)] * 100], True),
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
    assert followed(*[(False, False)] * (RECENT - 1)).rejected == set()
    assert followed(*[(False, False)] * RECENT).rejected == {7}
    assert followed((False, True), *[(False, False)] * RECENT).rejected == set()


def test_a_track_that_goes_on_under_another_number_keeps_what_was_learnt() -> None:
    for samples, unverified in (([(True, False)] * MESH_FITS, set()), ([(True, False)] * 2, {9})):
        verification = followed(*samples)
        verification.continue_as(7, 9)
        verification.update([], {9})
        assert verification.unverified == unverified
    verification.update([Evidence(9, True, False)], {9})
    assert verification.unverified == set()


def test_memory_is_of_live_tracks_alone() -> None:
    verification = TrackVerification()
    for number in range(50):
        verification.update([Evidence(number, False, False)], {number})
    assert verification.unverified == {49}
