"""Liveness stage: which tracks are people, and not images or objects that resemble faces."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.geometry import inverse
from monitor.session.stages.context import FrameContext
from monitor.tracking.liveness import CameraTransform, LivenessFilter
from monitor.tracking.relative_motion import MARGIN_PX
from monitor.tracking.track_verification import FaceEvidence, TrackVerifier
from monitor.types import Box, ImageBGR


class PatchSampler(Protocol):
    """Samples a box of the reference frame from an image (``monitor.tracking.patches.sample_patch``)."""

    def __call__(
        self, image_bgr: ImageBGR, to_reference: NDArray[np.float64], box_xyxy: Box, margin_px: int = 0, /
    ) -> NDArray[np.float32] | None:
        """The patch with ``margin_px`` more on each side, or None where the contrast is too low. The margin
        is passed only if the camera motion was measured."""


class LivenessStage:
    """Runs the static-face filter and face verification. Without ``sample_patch`` no face counts as
    static."""

    def __init__(
        self, liveness: LivenessFilter, verifier: TrackVerifier, sample_patch: PatchSampler | None = None
    ) -> None:
        self._liveness = liveness
        self._verifier = verifier
        self._sample_patch = sample_patch

    def process(self, context: FrameContext) -> None:
        """Sets ``static_faces``, ``unconfirmed``, ``rejected`` and ``departed``."""
        if context.has_new_coordinates:
            self._liveness.reset_coordinates()
        for previous, current in context.continued:
            self._liveness.continue_track(previous, current)
            self._verifier.continue_track(previous, current)
        evidence = [
            FaceEvidence(track.track_id, head.mesh_fits, face.verified)
            for (track, face), head in zip(context.visible, context.heads, strict=True)
        ]
        self._verifier.update(evidence, context.live_track_ids)
        if self._sample_patch is not None:
            self._update_liveness(context, self._sample_patch)
        context.static_faces = self._liveness.static_faces(context.frame.media_s)
        context.unconfirmed = self._liveness.unconfirmed | self._verifier.unverified
        context.rejected = self._verifier.rejected
        if self._sample_patch is not None:
            context.departed = [
                track
                for track in context.tracks
                if track.face is None and track.track_id not in context.unconfirmed
            ]

    def not_people(self, media_s: float, *, with_unverified: bool) -> set[int]:
        """The tracks that are static at ``media_s`` seconds, and with ``with_unverified`` those without a
        verified face."""
        static = self._liveness.static_faces(media_s)
        return static | self._verifier.unverified if with_unverified else static

    def _update_liveness(self, context: FrameContext, sample_patch: PatchSampler) -> None:
        boxes = {track.track_id: track.box_xyxy for track in context.tracks if track.face is not None}
        sample = partial(sample_patch, context.image_bgr, context.to_reference)
        camera = sample_context = None
        if context.is_motion_measured:
            camera = CameraTransform(inverse(context.to_reference), context.is_motion_known)

            def sample_context(box: Box) -> NDArray[np.float32] | None:
                return sample(box, MARGIN_PX)

        self._liveness.update(
            boxes, context.live_track_ids, sample, context.frame.media_s, camera, sample_context
        )
