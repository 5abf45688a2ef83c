"""A simulated room at one time: its image, and which faces are visible."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.room.events import RoomEvent, RoomEventKind
from classpulse.simulation.room.motion import PersonMotion, PersonPose
from classpulse.simulation.room.passers_by import PasserBy, draw_passer_by
from classpulse.simulation.room.people import (
    HEAD_SIZE,
    PersonCutout,
    cut_out_people,
    mirrored_cutout,
    remove_people,
)
from classpulse.simulation.room.photo import Photograph
from classpulse.simulation.room.posters import Poster, draw_posters
from monitor.types import Box, ImageBGR

HIDDEN_SHARE = 0.4
"""A face is not visible if at least this share is covered."""

MIN_OVERLAP_SHARE = 0.08
"""A smaller covered share is ignored; between the two limits either answer is right."""

BOOK_BGR = (70, 55, 48)
WALKER_BGR = (42, 36, 34)
HAIR_BGR = (26, 24, 30)


@dataclass(frozen=True)
class ScenePerson:
    """A person in the scene: ``face_xyxy`` in pixels; ``hidden_share`` 0..1, the share of the face that is
    covered or bowed away."""

    person: int
    state: PersonPose
    face_xyxy: Box
    hidden_share: float


class RoomScene:
    """Draws the room. ``cutouts`` are the people of the photograph and then the visitors."""

    def __init__(
        self, photograph: Photograph, events: tuple[RoomEvent, ...], motion: PersonMotion, seed: int
    ) -> None:
        self.photograph = photograph
        self.events = events
        self.motion = motion
        own = cut_out_people(photograph)
        rng = np.random.default_rng((seed, 5))
        guests = [mirrored_cutout(own[int(rng.integers(len(own)))]) for _ in range(motion.visitors)]
        self.cutouts: list[PersonCutout] = own + guests
        self.posters: tuple[Poster, ...] = ()
        self.passers_by: tuple[PasserBy, ...] = ()
        self._background = remove_people(photograph)

    def people_at(self, t_s: float) -> list[ScenePerson]:
        """All present people at ``t_s``, farthest first."""
        everybody = [(person, self.motion.state_at(person, t_s)) for person in range(len(self.cutouts))]
        there = [(person, seen, self._face_box(person, seen)) for person, seen in everybody if seen.present]
        there.sort(key=lambda entry: entry[2][3])
        walkers = self.walkers_at(t_s)
        width = self.photograph.image_bgr.shape[1]
        near = [box for passer in self.passers_by if (box := passer.box_at(t_s, width)) is not None]
        walkers += [(box, np.inf) for box in near]
        return [
            ScenePerson(person, seen, face, self._hidden_share(index, seen, face, there, walkers))
            for index, (person, seen, face) in enumerate(there)
        ]

    def draw(self, t_s: float) -> ImageBGR:
        """The scene at ``t_s``, of the photograph's size."""
        picture = self._background.copy()
        layers = [(place.face_xyxy[3], place, None) for place in self.people_at(t_s)]
        walkers = [(low, None, box) for box, low in self.walkers_at(t_s)]
        for _, place, walker in sorted([*layers, *walkers], key=lambda entry: entry[0]):
            if place is not None:
                self._draw_person(picture, place)
            if walker is not None:
                _draw_walker(picture, walker)
        for passer in self.passers_by:
            draw_passer_by(picture, passer, t_s)
        return picture

    def add_posters(self, posters: tuple[Poster, ...]) -> None:
        """Put ``posters`` on the wall behind the people."""
        self.posters = posters
        self._background = draw_posters(self._background, posters)

    def highest_head_y(self, t_s: float) -> float:
        """The y of the highest head at ``t_s``, pixels from the top."""
        # The ellipse of a head with its hair is a tenth of a face above the face's centre.
        above = HEAD_SIZE[1] + 0.1
        heads = [
            (person.face_xyxy[1] + person.face_xyxy[3]) / 2 - above * _person_height(person)
            for person in self.people_at(t_s)
        ]
        return min(
            [*heads, *(body[1] for body, _ in self.walkers_at(t_s))], default=self._background.shape[0]
        )

    def _face_box(self, person: int, state: PersonPose) -> Box:
        x1, y1, x2, y2 = self.cutouts[person].face_xyxy
        height = state.width_px * (y2 - y1) / (x2 - x1)
        x, y = state.centre_xy
        return x - state.width_px / 2, y - height / 2, x + state.width_px / 2, y + height / 2

    def _hidden_share(
        self,
        index: int,
        state: PersonPose,
        face: Box,
        there: list[tuple[int, PersonPose, Box]],
        walkers: list[tuple[Box, float]],
    ) -> float:
        share = max(state.bow, state.occlusion)
        for body, low in walkers:
            if low > face[3]:
                share = max(share, _covered_share(face, body))
        for _, other_seen, other in there[index + 1 :]:
            # Seated neighbours do not overlap in the photograph; only moving people can cover a face.
            if other_seen.walking or state.walking:
                share = max(share, _covered_share(face, _expand_box(other, 0.3)))
        return float(share)

    def walkers_at(self, t_s: float) -> list[tuple[Box, float]]:
        """The people that pass in front: head and body as a box, and the y of their row."""
        found = []
        width = self.photograph.image_bgr.shape[1]
        for event in self.events:
            if event.kind is not RoomEventKind.PASS or not event.start_s <= t_s <= event.end_s:
                continue
            x1, y1, x2, y2 = self.photograph.boxes_xyxy[event.people[0]]
            face_px, share = x2 - x1, (t_s - event.start_s) / (event.end_s - event.start_s)
            if event.people[0] % 2:
                share = 1 - share
            x = -3 * face_px + share * (width + 6 * face_px)
            top, low = y1 - 0.8 * (y2 - y1), y2 + 1.0
            found.append(((x - 1.1 * face_px, top, x + 1.1 * face_px, y2 + 6 * face_px), low))
        return found

    def _draw_person(self, image: ImageBGR, person: ScenePerson) -> None:
        cutout, seen = self.cutouts[person.person], person.state
        drawn = cutout.image
        if seen.bow > 0:
            drawn = np.asarray(cv2.addWeighted(cutout.image, 1 - seen.bow, cutout.bowed_image, seen.bow, 0))
        x1, _, x2, _ = cutout.face_xyxy
        scale = seen.width_px / (x2 - x1)
        matrix = np.asarray(cv2.getRotationMatrix2D(cutout.centre_xy, seen.roll_deg, scale), np.float64)
        matrix[:, 2] += np.subtract(seen.centre_xy, cutout.centre_xy)
        _paste_cutout(image, drawn, matrix)
        if seen.occlusion > 0:
            _draw_book(image, person)


def _person_height(person: ScenePerson) -> float:
    return person.face_xyxy[3] - person.face_xyxy[1]


def _paste_cutout(image: ImageBGR, cutout: NDArray[np.uint8], matrix: NDArray[np.float64]) -> None:
    """Draw ``cutout`` (h, w, 4), transformed by ``matrix`` (2, 3), onto the image."""
    height, width = cutout.shape[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ matrix.T
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, low = np.ceil(corners.max(axis=0)).astype(int)
    left, top = max(0, left), max(0, top)
    right, low = min(image.shape[1], right), min(image.shape[0], low)
    if right <= left or low <= top:
        return
    here = matrix.copy()
    here[:, 2] -= (left, top)
    moved = cv2.warpAffine(cutout, here, (right - left, low - top), flags=cv2.INTER_LINEAR)
    alpha = moved[..., 3:].astype(np.uint16)
    under = image[top:low, left:right].astype(np.uint16) * (255 - alpha) // 255
    image[top:low, left:right] = np.minimum(under + moved[..., :3], 255)


def _draw_book(image: ImageBGR, person: ScenePerson) -> None:
    """Draw a flat object that is raised in front of the face from below."""
    x1, y1, x2, y2 = person.face_xyxy
    width, height = x2 - x1, y2 - y1
    lift = (1 - person.state.occlusion) * 1.4 * height
    corners = [x1 - 0.3 * width, y1 - 0.1 * height + lift, x2 + 0.3 * width, y2 + 0.25 * height + lift]
    left, top, right, low = (round(value) for value in corners)
    cv2.rectangle(image, (left, top), (right, low), BOOK_BGR, -1, cv2.LINE_AA)
    cv2.rectangle(image, (left, top), (right, low), tuple(2 * value for value in BOOK_BGR), 1, cv2.LINE_AA)


def _draw_walker(image: ImageBGR, body: Box) -> None:
    """Draw a person seen from behind: hair and a dark coat."""
    left, top, right, low = body
    width = right - left
    x = round((left + right) / 2)
    shoulders = round(top + 0.75 * width)
    cv2.rectangle(image, (round(left), shoulders), (round(right), round(low)), WALKER_BGR, -1)
    cv2.ellipse(image, (x, shoulders), (round(width / 2), round(0.2 * width)), 0, 0, 360, WALKER_BGR, -1)
    head = (x, round(top + 0.36 * width))
    cv2.ellipse(image, head, (round(0.27 * width), round(0.36 * width)), 0, 0, 360, HAIR_BGR, -1)


def _covered_share(face: Box, other: Box) -> float:
    """The share of ``face`` that is inside of the other box."""
    across = min(face[2], other[2]) - max(face[0], other[0])
    down = min(face[3], other[3]) - max(face[1], other[1])
    return max(0.0, across) * max(0.0, down) / ((face[2] - face[0]) * (face[3] - face[1]))


def _expand_box(box: Box, share: float) -> Box:
    x1, y1, x2, y2 = box
    dx, dy = share * (x2 - x1), share * (y2 - y1)
    return x1 - dx, y1 - dy, x2 + dx, y2 + dy
