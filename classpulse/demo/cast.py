"""The six students of the demo class. Starts are shares of the lecture: a short film tells the same story."""

from __future__ import annotations

from classpulse.demo.poses import Expression
from classpulse.demo.script import Look, Spell, Student

NEUTRAL, DOWNCAST = Expression.NEUTRAL, Expression.DOWNCAST
SMILING, SURPRISED = Expression.SMILING, Expression.SURPRISED

AWAY_YAW_DEG = 52.0
"""Turned to a neighbour. A face detector's keypoints show 35 to 41 degrees of it, and no more of a larger
turn: at 57 the warped portrait begins to look like no head."""

# At 75 s every spell covers a whole bin of five seconds, so that each can be compared with what was stored.
CAST: tuple[Student, ...] = (
    Student(
        "Seat 1",
        (Spell(0.0), Spell(0.31, SMILING), Spell(0.42), Spell(0.78, SMILING), Spell(0.87)),
        Look("shelves", 0.84, (-6, 4), False, (0.96, 1.0, 1.03), 1.0, (0, 0, 0), 1.0, 0.3),
    ),
    Student(
        "Seat 2",
        (Spell(0.0), Spell(0.07, DOWNCAST), Spell(0.52), Spell(0.58, DOWNCAST), Spell(0.95)),
        Look("window", 0.80, (8, 10), True, (1.06, 1.0, 0.95), 1.08, (22, 6, 30), 0.8, 1.7),
        flag=True,
    ),
    Student(
        "Seat 3",
        (Spell(0.0), Spell(0.05, SMILING), Spell(0.45), Spell(0.52, SMILING), Spell(0.94)),
        Look("wall", 0.88, (0, 2), False, (0.92, 1.0, 1.08), 0.92, (6, 30, 12), 1.25, 2.9),
    ),
    Student(
        "Seat 4",
        (Spell(0.0), Spell(0.38, present=False), Spell(0.72), Spell(0.84, SMILING), Spell(0.95)),
        Look("curtain", 0.82, (-10, 6), True, (1.0, 1.0, 1.0), 1.0, (34, 18, 4), 1.1, 4.1),
    ),
    Student(
        "Seat 5",
        (
            Spell(0.0),
            Spell(0.22, yaw_deg=AWAY_YAW_DEG),
            Spell(0.45),
            Spell(0.58, yaw_deg=-AWAY_YAW_DEG),
            Spell(0.84),
        ),
        Look("board", 0.86, (4, 6), False, (1.04, 1.0, 0.97), 1.12, (4, 8, 36), 0.9, 5.2),
    ),
    Student(
        "Seat 6",
        (Spell(0.0), Spell(0.45, SURPRISED), Spell(0.56)),
        Look("lamp", 0.78, (2, 14), True, (0.90, 0.98, 1.08), 1.15, (28, 28, 28), 1.15, 0.9),
    ),
)
