"""A probe for faces that the detector misses, because they are smaller than ``min_face_px`` or need a finer
scan.

The detector searches for faces of at least ``min_face_px``, because a finer scan of every sample takes more
time than a laptop has. The probe searches single frames down to 8 pixels, a few network runs per sample:
three frames of the first seconds, and two at the end of the session. A frame is kept in memory until its
search is done; no image is stored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from db.small_faces import SmallFaces
from monitor.detection.base import DetectionSettings
from monitor.detection.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace
from monitor.detection.nms import (
    Candidates,
    Floats,
    concat_candidates,
    is_contained,
    matches_any_box,
    weighted_nms,
)
from monitor.detection.tiling import MIN_INPUT_FACE_PX, FrameSlices, SliceScanner
from monitor.detection.verification import CandidateVerifier
from monitor.types import Face, ImageBGR

MIN_FACE_PX = 8
"""The smallest face to search for, pixels of the frame."""

MIN_SIDE_PX = 0.75 * MIN_FACE_PX
"""Smaller candidates are dropped: they are parts of faces and clothes, as in the demo's portrait at 4
pixels."""

BODY_DETAIL, BODY_ACROSS, BODY_DOWN = 0.6, 1.3, (1.2, 4.0)
"""A candidate smaller than this share of a reported face's side that lies within this many sides to the left
or right of its centre and in this range of sides below its top is a detail of the body: the buttons and
medals of the demo's portrait reach a score of 0.66. Heuristic, from the proportions of a body (shoulders 2.5
faces wide)."""

MAGNIFICATIONS = (MIN_INPUT_FACE_PX / MIN_FACE_PX, 1.0, 0.5)
"""The first scales a face of ``MIN_FACE_PX`` to the ``MIN_INPUT_FACE_PX`` that the network needs. The others
are for large frames at the end of a session, where the search has to fit into ``MAX_CLOSING_RUNS``."""

MIN_SCORE = 0.5
"""The least mean score of the verification passes of a missed face, also if the detector accepts less. Of
0.5, 0.6 and 0.7 it found the most missed faces in six simulated lectures (seeds 100 to 102, 960 and 1280
pixels wide), and none of the three gave a false positive."""

OPENING_TIMES_S = (2.0, 5.0, 8.0)
"""The media seconds of the opening frames: three, because people move and turn."""

MAX_RUNS_PER_SAMPLE = 24
"""The most network runs in one sample, 0.1 to 0.2 s on a laptop. Heuristic, not tuned on data."""

RUNS_PER_CANDIDATE = 4
"""The most network runs that the verification of one candidate takes (``CandidateVerifier.verify``)."""

MAX_CLOSING_RUNS = 600
"""The most network runs for one frame at the end of a session, about 4 s; one of 1920 x 1080 takes 330."""

CLOSING_GAP_S = 2.0
"""The least time between the two closing frames."""

REPORTED_WINDOW_S = 60.0
"""A face that the detector reported at the same place within this time is not missed, though it may be bowed
or turned in the searched frame. Heuristic, not tuned on data."""


class ProbeScanner(Protocol):
    """Finds face candidates in parts of a frame (``monitor.detection.tiling.SliceScanner``)."""

    def slices(self, width: int, height: int) -> FrameSlices:
        """The slices of frames of this size."""

    def candidates(self, image_bgr: ImageBGR, slice_indices: NDArray[np.intp]) -> Candidates:
        """The candidates in these slices."""


class ProbeVerifier(Protocol):
    """Separates faces from other objects (``monitor.detection.verification.CandidateVerifier``)."""

    def verify(self, image_bgr: ImageBGR, candidates: Candidates) -> tuple[Candidates, Candidates]:
        """The candidates that are faces, and the rejected ones."""


@dataclass(frozen=True)
class _Snapshot:
    """A frame and the boxes ``(N, 4)`` that the detector reported in it."""

    image_bgr: ImageBGR
    boxes_xyxy: Floats
    media_s: float


@dataclass(frozen=True)
class _MissedFaces:
    """The result of one frame: the sides of the missed faces, pixels, and the number of reported ones."""

    sizes_px: tuple[float, ...]
    found: int


class FrameSearch:
    """The search of one frame, in steps of a bounded number of network runs."""

    def __init__(
        self, scanner: ProbeScanner, verifier: ProbeVerifier, image_bgr: ImageBGR, magnification: float
    ) -> None:
        self._scanner, self._verifier = scanner, verifier
        self._magnification = magnification
        size = _size(image_bgr, magnification)
        self._image = image_bgr
        if magnification != 1:
            kind = cv2.INTER_CUBIC if magnification > 1 else cv2.INTER_AREA
            self._image = np.asarray(cv2.resize(image_bgr, size, interpolation=kind), np.uint8)
        self._slices = np.arange(len(scanner.slices(*size)))
        self._parts: list[Candidates] = []
        self._candidates: list[Candidates] | None = None
        self._faces: list[Candidates] = []

    def step(self, runs: int, boxes_xyxy: Floats, recent_xyxy: Floats) -> Candidates | None:
        """Continue the search with at most ``runs`` network runs. Returns the missed faces in pixels of the
        frame once the search is done, None before.

        Args:
            runs: at least ``RUNS_PER_CANDIDATE``.
            boxes_xyxy: ``(N, 4)``, the faces that the detector reported in this frame.
            recent_xyxy: ``(M, 4)``, the faces that it reported in other frames.
        """
        if len(self._slices):
            slices, self._slices = self._slices[:runs], self._slices[runs:]
            self._parts.append(self._scanner.candidates(self._image, slices))
            return None
        reported = boxes_xyxy * self._magnification, recent_xyxy * self._magnification
        least_px = MIN_SIDE_PX * self._magnification
        if self._candidates is None:
            self._candidates = _unreported(weighted_nms(concat_candidates(self._parts)), *reported, least_px)
        count = runs // RUNS_PER_CANDIDATE
        batch, self._candidates = self._candidates[:count], self._candidates[count:]
        self._faces.append(self._verifier.verify(self._image, concat_candidates(batch))[0])
        if self._candidates:
            return None
        # Verification may have moved a box onto a reported face.
        faces = _unreported(weighted_nms(concat_candidates(self._faces)), *reported, least_px)
        return concat_candidates(faces).to_frame(self._magnification, 0, 0)


class SmallFaceProbe:
    """Searches a few frames of a session. One thread owns it; any thread may read ``result``."""

    def __init__(self, scanner: ProbeScanner, verifier: ProbeVerifier, min_face_px: int) -> None:
        self._scanner, self._verifier = scanner, verifier
        self._min_face_px = min_face_px
        self._search: tuple[_Snapshot, FrameSearch] | None = None
        self._due_s = list(OPENING_TIMES_S)
        self._opening: list[_MissedFaces] = []
        self._reported: deque[tuple[float, Floats]] = deque()
        self._recent: deque[_Snapshot] = deque(maxlen=3)
        self.result: SmallFaces | None = None

    def submit(self, image_bgr: ImageBGR, faces: Sequence[Face], media_s: float) -> None:
        """Take the next frame of the session as the detector received it (opted-out seats masked), with the
        reported faces. Uses at most ``MAX_RUNS_PER_SAMPLE`` network runs."""
        boxes = np.array([face.box_xyxy for face in faces], np.float32).reshape(-1, 4)
        snapshot = _Snapshot(image_bgr, boxes, media_s)
        self._reported.append((media_s, boxes))
        while media_s - self._reported[0][0] > REPORTED_WINDOW_S:
            self._reported.popleft()
        self._keep_recent(snapshot)
        if self._search is None and self._due_s and media_s >= self._due_s[0]:
            del self._due_s[0]
            self._search = snapshot, FrameSearch(self._scanner, self._verifier, image_bgr, MAGNIFICATIONS[0])
        if self._search is not None:
            self._advance(*self._search)

    def finish(self) -> None:
        """Search the last frames at the end of the session: at most two, of at most ``MAX_CLOSING_RUNS``
        slices each, and their candidates."""
        self._search = None
        closing = [
            missed
            for snapshot in self._closing_frames()
            if (missed := self._search_frame(snapshot)) is not None
        ]
        groups = [group for group in (self._opening, closing) if len(group) > 1]
        # A single frame counts only if no group has two.
        self.result = self._combined(*groups or [self._opening + closing])

    def _keep_recent(self, snapshot: _Snapshot) -> None:
        """Keep the newest frame, and up to two older ones for ``finish``."""
        if len(self._recent) >= 2 and snapshot.media_s - self._recent[-2].media_s < CLOSING_GAP_S:
            self._recent.pop()
        self._recent.append(snapshot)

    def _closing_frames(self) -> list[_Snapshot]:
        """The last frame, and the last one at least ``CLOSING_GAP_S`` earlier, if there is one."""
        if not self._recent:
            return []
        last = self._recent[-1]
        earlier = [snapshot for snapshot in self._recent if last.media_s - snapshot.media_s >= CLOSING_GAP_S]
        return [last, *earlier[-1:]]

    def _advance(self, snapshot: _Snapshot, search: FrameSearch) -> None:
        faces = search.step(MAX_RUNS_PER_SAMPLE, snapshot.boxes_xyxy, self._recently_reported())
        if faces is not None:
            self._search = None
            self._opening.append(_missed(faces, snapshot))
            if len(self._opening) > 1:
                self.result = self._combined(self._opening)

    def _search_frame(self, snapshot: _Snapshot) -> _MissedFaces | None:
        """Search one frame completely; None if even the coarsest search would take too long."""
        for magnification in MAGNIFICATIONS:
            size = _size(snapshot.image_bgr, magnification)
            if len(self._scanner.slices(*size)) <= MAX_CLOSING_RUNS:
                search = FrameSearch(self._scanner, self._verifier, snapshot.image_bgr, magnification)
                faces = None
                while faces is None:
                    faces = search.step(MAX_CLOSING_RUNS, snapshot.boxes_xyxy, self._recently_reported())
                return _missed(faces, snapshot)
        return None

    def _recently_reported(self) -> Floats:
        return np.concatenate([boxes for _, boxes in self._reported])

    def _combined(self, *groups: list[_MissedFaces]) -> SmallFaces | None:
        """The result of the group with the most missed faces. Each group is represented by its (lower) median
        frame, so that neither a false positive nor a passer-by in one frame counts."""
        medians = [sorted(group, key=_count)[(len(group) - 1) // 2] for group in groups if group]
        if not medians:
            return None
        most = max(medians, key=_count)
        return SmallFaces.from_sizes(most.sizes_px, most.found, self._min_face_px)


def load_small_face_probe(settings: DetectionSettings) -> SmallFaceProbe:
    """The probe for a detector with these settings. It uses BlazeFace for every backend. Raises
    NetworkFileError."""
    full, short = BlazeFace(FULL_RANGE, settings.threads), BlazeFace(SHORT_RANGE, settings.threads)
    verifier = CandidateVerifier(full, short, max(MIN_SCORE, settings.min_score))
    return SmallFaceProbe(SliceScanner(full, short, MIN_INPUT_FACE_PX), verifier, settings.min_face_px)


def _size(image_bgr: ImageBGR, magnification: float) -> tuple[int, int]:
    height, width = image_bgr.shape[:2]
    return max(1, round(width * magnification)), max(1, round(height * magnification))


def _unreported(
    candidates: Candidates, boxes_xyxy: Floats, recent_xyxy: Floats, least_px: float
) -> list[Candidates]:
    """The candidates of at least ``least_px`` that are neither reported faces nor details of their bodies."""
    count = len(boxes_xyxy)
    reported = Candidates(boxes_xyxy, np.ones(count, np.float32), np.zeros((count, 6, 2), np.float32))
    return [
        candidate
        for candidate in candidates.select(_sides(candidates.boxes_xyxy) >= least_px).singles
        if not is_contained(candidate, reported)
        and not matches_any_box(candidate, recent_xyxy)
        and not _is_on_body(candidate, np.concatenate([boxes_xyxy, recent_xyxy]))
    ]


def _is_on_body(candidate: Candidates, boxes_xyxy: Floats) -> bool:
    """Whether a candidate is much smaller than a reported face and lies on the body below it. It cannot be a
    face: a face there would be nearer to the camera, and therefore not smaller."""
    sides = _sides(boxes_xyxy)
    centre = (candidate.boxes_xyxy[0, :2] + candidate.boxes_xyxy[0, 2:]) / 2
    across = np.abs(centre[0] - (boxes_xyxy[:, 0] + boxes_xyxy[:, 2]) / 2) / sides
    down = (centre[1] - boxes_xyxy[:, 1]) / sides
    smaller = _sides(candidate.boxes_xyxy)[0] < BODY_DETAIL * sides
    low, high = BODY_DOWN
    return bool((smaller & (across < BODY_ACROSS) & (down > low) & (down < high)).any())


def _sides(boxes_xyxy: Floats) -> Floats:
    """The shorter side of each box ``(N, 4)``, pixels."""
    return np.asarray((boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).min(axis=1), np.float32)


def _missed(faces: Candidates, snapshot: _Snapshot) -> _MissedFaces:
    return _MissedFaces(tuple(float(side) for side in _sides(faces.boxes_xyxy)), len(snapshot.boxes_xyxy))


def _count(missed: _MissedFaces) -> int:
    return len(missed.sizes_px)
