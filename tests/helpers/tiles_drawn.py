"""Drawn frames of video calls and rooms, for tests of tile grids."""

from dataclasses import dataclass

import cv2
import numpy as np

from monitor.types import Box, ImageBGR


@dataclass(frozen=True)
class CallStyle:
    """The style of a call application. ``ground``: background colour; ``gutter`` and ``radius`` of tile
    corners, pixels; ``bars`` above and below the grid, share of the height; ``centred``: last row centred;
    ``names`` in the tiles."""

    ground: tuple[int, int, int] = (26, 26, 26)
    gutter: int = 6
    radius: int = 0
    bars: float = 0.0
    centred: bool = True
    names: bool = True


STYLES = {
    "dark gutters": CallStyle(),
    "thin gutters": CallStyle(gutter=2),
    "wide gutters, rounded": CallStyle(ground=(36, 33, 32), gutter=16, radius=14),
    "abutting": CallStyle(ground=(0, 0, 0), gutter=0, centred=False),
    "light": CallStyle(ground=(250, 245, 245), gutter=8, radius=8),
    "letterboxed": CallStyle(ground=(0, 0, 0), gutter=4, bars=0.1),
}

COLUMNS = {2: 2, 3: 2, 4: 2, 5: 3, 9: 3, 12: 4, 25: 5}


def drawn_call(
    count: int,
    style: CallStyle | None = None,
    *,
    seed: int = 0,
    size: tuple[int, int] = (1280, 720),
    people: list[int] | None = None,
) -> tuple[ImageBGR, list[Box], list[Box]]:
    """A call of ``count`` tiles: the frame, its tiles, and their faces. ``people`` gives the person of each
    tile; a person looks the same in every tile. ``seed`` is for noise."""
    style = style or CallStyle()
    width, height = size
    columns = COLUMNS.get(count) or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    bar = round(style.bars * height)
    across = (width - (columns + 1) * style.gutter) // columns
    down = (height - 2 * bar - (rows + 1) * style.gutter) // rows
    # Tiles keep the aspect ratio of a camera, as far as the frame allows.
    across, down = min(across, 2 * down), min(down, round(across / 1.2))
    left = (width - columns * across - (columns - 1) * style.gutter) // 2
    top = (height - rows * down - (rows - 1) * style.gutter) // 2
    frame = np.full((height, width, 3), style.ground, np.uint8)
    tiles: list[Box] = []
    faces: list[Box] = []
    for index in range(count):
        row, column = divmod(index, columns)
        here = min(columns, count - row * columns)
        shift = (columns - here) * (across + style.gutter) // 2 if style.centred else 0
        x, y = left + shift + column * (across + style.gutter), top + row * (down + style.gutter)
        person = index if people is None else people[index]
        tile, face = drawn_tile(person, across, down, names=style.names)
        mask = _rounded(across, down, style.radius)[..., None]
        part = frame[y : y + down, x : x + across]
        part[:] = np.where(mask, tile, part)
        tiles.append((x, y, x + across, y + down))
        faces.append((x + face[0], y + face[1], x + face[2], y + face[3]))
    return noisy(frame, seed), tiles, faces


def drawn_tile(person: int, width: int, height: int, *, names: bool = True) -> tuple[ImageBGR, Box]:
    """The tile of a person (wall, furniture, shoulders, head) and the box of the face."""
    rng = np.random.default_rng((person, 3))
    shade = np.linspace(rng.uniform(0.7, 1.0), rng.uniform(0.7, 1.0), width)[None, :, None]
    tile = (np.full((height, width, 3), rng.integers(40, 220, 3)) * shade).astype(np.uint8)
    for _ in range(4):
        x, y = rng.uniform(-0.2, 0.9, 2) * (width, height)
        w, h = rng.uniform(0.1, 0.5, 2) * (width, height)
        colour = tuple(int(value) for value in rng.integers(20, 235, 3))
        cv2.rectangle(tile, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
    middle = int(width * rng.uniform(0.4, 0.6)), int(height * rng.uniform(0.4, 0.5))
    half = int(0.17 * min(width, height))
    cloth = tuple(int(value) for value in rng.integers(10, 200, 3))
    cv2.ellipse(tile, (middle[0], height), (3 * half, height // 3), 0, 0, 360, cloth, -1)
    cv2.ellipse(tile, middle, (half, int(1.3 * half)), 0, 0, 360, (150, 175, 215), -1)
    for side in (-1, 1):
        cv2.circle(
            tile, (middle[0] + side * half // 2, middle[1] - half // 4), max(1, half // 8), (30, 30, 40), -1
        )
    if names:
        cv2.rectangle(tile, (0, height - 18), (width // 5, height), (50, 50, 50), -1)
        cv2.putText(tile, f"{person}", (4, height - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (240, 240, 240), 1)
    return tile, (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)


def _rounded(width: int, height: int, radius: int) -> np.ndarray:
    if radius == 0:
        return np.ones((height, width), bool)
    mask = np.zeros((height, width), np.uint8)
    cv2.rectangle(mask, (radius, 0), (width - radius - 1, height - 1), 1, -1)
    cv2.rectangle(mask, (0, radius), (width - 1, height - radius - 1), 1, -1)
    for x in (radius, width - radius - 1):
        for y in (radius, height - radius - 1):
            cv2.circle(mask, (x, y), radius, 1, -1)
    return mask.astype(bool)


def noisy(frame: ImageBGR, seed: int) -> ImageBGR:
    """The frame with noise and compressed as JPEG at quality 80."""
    noise = np.random.default_rng((seed, 7)).normal(0, 2, frame.shape)
    rough = np.clip(frame + noise, 0, 255).astype(np.uint8)
    return np.asarray(
        cv2.imdecode(cv2.imencode(".jpg", rough, [cv2.IMWRITE_JPEG_QUALITY, 80])[1], 1), np.uint8
    )


def drawn_room(
    kind: str, *, seed: int = 0, size: tuple[int, int] = (1280, 720)
) -> tuple[ImageBGR, list[Box]]:
    """A room with straight edges and three people, and their faces. ``kind`` is one of ``ROOMS``."""
    width, height = size
    rng = np.random.default_rng((seed, 11))
    wall = tuple(int(value) for value in rng.integers(120, 220, 3))
    frame = np.full((height, width, 3), wall, np.uint8)
    ROOMS[kind](frame, rng)
    faces = []
    for place in range(3):
        x = int(width * (0.2 + 0.3 * place + rng.uniform(-0.06, 0.06)))
        y, half = int(height * rng.uniform(0.4, 0.6)), int(0.06 * height)
        cloth = tuple(int(value) for value in rng.integers(10, 200, 3))
        cv2.ellipse(frame, (x, y + 5 * half), (3 * half, int(3.6 * half)), 0, 0, 360, cloth, -1)
        cv2.ellipse(frame, (x, y), (half, int(1.3 * half)), 0, 0, 360, (150, 175, 215), -1)
        faces.append((float(x - half), float(y - half), float(x + half), float(y + half)))
    cv2.rectangle(frame, (0, int(0.85 * height)), (width, height), (60, 90, 120), -1)
    return noisy(frame, seed), faces


def _windows(frame: ImageBGR, rng: np.random.Generator) -> None:
    height, width = frame.shape[:2]
    for column in range(4):
        for row in range(2):
            x, y = int(width * (0.05 + 0.23 * column)), int(height * (0.05 + 0.24 * row))
            light = tuple(int(value) for value in rng.integers(190, 255, 3))
            cv2.rectangle(frame, (x, y), (x + int(0.2 * width), y + int(0.22 * height)), light, -1)
            cv2.rectangle(frame, (x, y), (x + int(0.2 * width), y + int(0.22 * height)), (90, 90, 90), 4)


def _blinds(frame: ImageBGR, rng: np.random.Generator) -> None:
    height, width = frame.shape[:2]
    step = int(rng.integers(18, 30))
    for y in range(0, int(0.8 * height), step):
        cv2.rectangle(frame, (0, y), (width, y + step // 2), (235, 235, 230), -1)


def _bookshelf(frame: ImageBGR, rng: np.random.Generator) -> None:
    height, width = frame.shape[:2]
    for x in range(0, width, 14):
        for shelf in range(4):
            top = shelf * height // 4 + int(rng.integers(10, 60))
            colour = tuple(int(value) for value in rng.integers(20, 230, 3))
            cv2.rectangle(frame, (x, top), (x + 13, (shelf + 1) * height // 4 - 10), colour, -1)
    for shelf in range(5):
        y = shelf * height // 4
        cv2.rectangle(frame, (0, y - 8), (width, y + 8), (50, 80, 110), -1)
    for upright in range(5):
        x = upright * width // 4
        cv2.rectangle(frame, (x - 8, 0), (x + 8, height), (50, 80, 110), -1)


def _blackboard(frame: ImageBGR, rng: np.random.Generator) -> None:
    height, width = frame.shape[:2]
    left = int(width * rng.uniform(0.02, 0.1))
    cv2.rectangle(frame, (left, 20), (width - left, int(0.7 * height)), (50, 70, 40), -1)
    cv2.rectangle(frame, (left, 20), (width - left, int(0.7 * height)), (70, 110, 150), 8)
    cv2.line(frame, (width // 2, 20), (width // 2, int(0.7 * height)), (70, 110, 150), 6)


def _posters(frame: ImageBGR, rng: np.random.Generator) -> None:
    height, width = frame.shape[:2]
    for column in range(4):
        x = int(width * (0.06 + 0.23 * column))
        colour = tuple(int(value) for value in rng.integers(20, 230, 3))
        cv2.rectangle(frame, (x, 40), (x + int(0.15 * width), int(0.4 * height)), colour, -1)


def _bars(frame: ImageBGR, rng: np.random.Generator) -> None:
    height = frame.shape[0]
    frame[: height // 8] = frame[-height // 8 :] = 0


ROOMS = {
    "windows": _windows,
    "blinds": _blinds,
    "bookshelf": _bookshelf,
    "blackboard": _blackboard,
    "posters": _posters,
    "letterbox bars": _bars,
}
