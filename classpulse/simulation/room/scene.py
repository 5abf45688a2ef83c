"""A simulated room at one time: its picture, and who can be seen in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.room.events import Happening, Kind
from classpulse.simulation.room.motion import Motion, Seen
from classpulse.simulation.room.passers_by import Passer, draw_passer
from classpulse.simulation.room.people import HEAD, Cutout, cut_out, empty_room, mirrored
from classpulse.simulation.room.photo import Photograph
from classpulse.simulation.room.posters import Poster, draw_posters
from monitor.types import Box, ImageBGR

HIDDEN = 0.4
"""A face of which so much is behind something counts as not visible."""

GRAZED = 0.08
"""Less than this is nothing; in between, either answer is right."""

BOOK_BGR = (70, 55, 48)
WALKER_BGR = (42, 36, 34)
HAIR_BGR = (26, 24, 30)


@dataclass(frozen=True)
class Place:
    """One person in the scene: ``face_xyxy`` in pixels; ``hidden`` 0..1, how much of the face is behind
    something or bowed away."""

    person: int
    seen: Seen
    face_xyxy: Box
    hidden: float


class Scene:
    """Draws the room. ``cutouts`` are everybody of the photograph and then the visitors."""

    def __init__(
        self, photograph: Photograph, happenings: tuple[Happening, ...], motion: Motion, seed: int
    ) -> None:
        self.photograph = photograph
        self.happenings = happenings
        self.motion = motion
        own = cut_out(photograph)
        rng = np.random.default_rng((seed, 5))
        guests = [mirrored(own[int(rng.integers(len(own)))]) for _ in range(motion.visitors)]
        self.cutouts: list[Cutout] = own + guests
        self.posters: tuple[Poster, ...] = ()
        self.passers: tuple[Passer, ...] = ()
        self._behind = empty_room(photograph)

    def places(self, t_s: float) -> list[Place]:
        """Everybody who is there at ``t_s``, the farthest first."""
        everybody = [(person, self.motion.seen(person, t_s)) for person in range(len(self.cutouts))]
        there = [(person, seen, self._face(person, seen)) for person, seen in everybody if seen.present]
        there.sort(key=lambda one: one[2][3])
        walkers = self.walkers(t_s)
        width = self.photograph.image_bgr.shape[1]
        near = [box for passer in self.passers if (box := passer.box_at(t_s, width)) is not None]
        walkers += [(box, np.inf) for box in near]
        return [
            Place(person, seen, face, self._hidden(index, seen, face, there, walkers))
            for index, (person, seen, face) in enumerate(there)
        ]

    def draw(self, t_s: float) -> ImageBGR:
        """The scene at ``t_s``, as large as the photograph."""
        picture = self._behind.copy()
        layers = [(place.face_xyxy[3], place, None) for place in self.places(t_s)]
        walkers = [(low, None, box) for box, low in self.walkers(t_s)]
        for _, place, walker in sorted([*layers, *walkers], key=lambda one: one[0]):
            if place is not None:
                self._draw_person(picture, place)
            if walker is not None:
                _draw_walker(picture, walker)
        for passer in self.passers:
            draw_passer(picture, passer, t_s)
        return picture

    def hang(self, posters: tuple[Poster, ...]) -> None:
        """Hang ``posters`` behind everybody."""
        self.posters = posters
        self._behind = draw_posters(self._behind, posters)

    def highest(self, t_s: float) -> float:
        """How far up in the picture the highest head reaches at ``t_s``, pixels from the top."""
        # The ellipse of a head with its hair lies a tenth of a face above the face's middle.
        above = HEAD[1] + 0.1
        heads = [(one.face_xyxy[1] + one.face_xyxy[3]) / 2 - above * _height(one) for one in self.places(t_s)]
        return min([*heads, *(body[1] for body, _ in self.walkers(t_s))], default=self._behind.shape[0])

    def _face(self, person: int, seen: Seen) -> Box:
        x1, y1, x2, y2 = self.cutouts[person].face_xyxy
        height = seen.width_px * (y2 - y1) / (x2 - x1)
        x, y = seen.centre_xy
        return x - seen.width_px / 2, y - height / 2, x + seen.width_px / 2, y + height / 2

    def _hidden(
        self,
        index: int,
        seen: Seen,
        face: Box,
        there: list[tuple[int, Seen, Box]],
        walkers: list[tuple[Box, float]],
    ) -> float:
        share = max(seen.crown, seen.cover)
        for body, low in walkers:
            if low > face[3]:
                share = max(share, _covered(face, body))
        for _, other_seen, other in there[index + 1 :]:
            # Seated neighbours were photographed where they sit; only who moves can come in front.
            if other_seen.walking or seen.walking:
                share = max(share, _covered(face, _grown(other, 0.3)))
        return float(share)

    def walkers(self, t_s: float) -> list[tuple[Box, float]]:
        """Those who pass in front: head and body as a box, and how low in the picture their row is."""
        found = []
        width = self.photograph.image_bgr.shape[1]
        for one in self.happenings:
            if one.kind is not Kind.PASS or not one.start_s <= t_s <= one.end_s:
                continue
            x1, y1, x2, y2 = self.photograph.boxes_xyxy[one.people[0]]
            face_px, share = x2 - x1, (t_s - one.start_s) / (one.end_s - one.start_s)
            if one.people[0] % 2:
                share = 1 - share
            x = -3 * face_px + share * (width + 6 * face_px)
            top, low = y1 - 0.8 * (y2 - y1), y2 + 1.0
            found.append(((x - 1.1 * face_px, top, x + 1.1 * face_px, y2 + 6 * face_px), low))
        return found

    def _draw_person(self, picture: ImageBGR, place: Place) -> None:
        cutout, seen = self.cutouts[place.person], place.seen
        drawn = cutout.picture
        if seen.crown > 0:
            drawn = np.asarray(cv2.addWeighted(cutout.picture, 1 - seen.crown, cutout.crown, seen.crown, 0))
        x1, _, x2, _ = cutout.face_xyxy
        scale = seen.width_px / (x2 - x1)
        matrix = np.asarray(cv2.getRotationMatrix2D(cutout.middle_xy, seen.roll_deg, scale), np.float64)
        matrix[:, 2] += np.subtract(seen.centre_xy, cutout.middle_xy)
        _paste(picture, drawn, matrix)
        if seen.cover > 0:
            _draw_book(picture, place)


def _height(place: Place) -> float:
    return place.face_xyxy[3] - place.face_xyxy[1]


def _paste(picture: ImageBGR, cutout: NDArray[np.uint8], matrix: NDArray[np.float64]) -> None:
    """Draw ``cutout`` (h, w, 4), moved by ``matrix`` (2, 3), over its part of the picture."""
    height, width = cutout.shape[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ matrix.T
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, low = np.ceil(corners.max(axis=0)).astype(int)
    left, top = max(0, left), max(0, top)
    right, low = min(picture.shape[1], right), min(picture.shape[0], low)
    if right <= left or low <= top:
        return
    here = matrix.copy()
    here[:, 2] -= (left, top)
    moved = cv2.warpAffine(cutout, here, (right - left, low - top), flags=cv2.INTER_LINEAR)
    alpha = moved[..., 3:].astype(np.uint16)
    under = picture[top:low, left:right].astype(np.uint16) * (255 - alpha) // 255
    picture[top:low, left:right] = np.minimum(under + moved[..., :3], 255)


def _draw_book(picture: ImageBGR, place: Place) -> None:
    """Something flat before the face, brought up from below."""
    x1, y1, x2, y2 = place.face_xyxy
    width, height = x2 - x1, y2 - y1
    lift = (1 - place.seen.cover) * 1.4 * height
    corners = [x1 - 0.3 * width, y1 - 0.1 * height + lift, x2 + 0.3 * width, y2 + 0.25 * height + lift]
    left, top, right, low = (round(value) for value in corners)
    cv2.rectangle(picture, (left, top), (right, low), BOOK_BGR, -1, cv2.LINE_AA)
    cv2.rectangle(picture, (left, top), (right, low), tuple(2 * value for value in BOOK_BGR), 1, cv2.LINE_AA)


def _draw_walker(picture: ImageBGR, body: Box) -> None:
    """Somebody seen from behind: hair, and a dark coat."""
    left, top, right, low = body
    width = right - left
    x = round((left + right) / 2)
    shoulders = round(top + 0.75 * width)
    cv2.rectangle(picture, (round(left), shoulders), (round(right), round(low)), WALKER_BGR, -1)
    cv2.ellipse(picture, (x, shoulders), (round(width / 2), round(0.2 * width)), 0, 0, 360, WALKER_BGR, -1)
    head = (x, round(top + 0.36 * width))
    cv2.ellipse(picture, head, (round(0.27 * width), round(0.36 * width)), 0, 0, 360, HAIR_BGR, -1)


def _covered(face: Box, by: Box) -> float:
    """The share of ``face`` that lies in the other box."""
    across = min(face[2], by[2]) - max(face[0], by[0])
    down = min(face[3], by[3]) - max(face[1], by[1])
    return max(0.0, across) * max(0.0, down) / ((face[2] - face[0]) * (face[3] - face[1]))


def _grown(box: Box, share: float) -> Box:
    x1, y1, x2, y2 = box
    dx, dy = share * (x2 - x1), share * (y2 - y1)
    return x1 - dx, y1 - dy, x2 + dx, y2 + dy
