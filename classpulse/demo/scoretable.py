"""A score as a text to read."""

from __future__ import annotations

from classpulse.demo.score import FLAGGED, Score, SpellScore, StudentScore


def score_table(score: Score) -> str:
    """The comparison, some twenty lines: a line a student, a line a spell, and the sums."""
    head = f"{'film':8}{'found as':12}{'there':>7}{'seen':>7}{'error':>7}{'facing':>8}  flag"
    lines = [head, *(_student_line(student) for student in score.students), ""]
    lines.append(f"{'film':8}{'from':>6}{'to':>6}  {'drawn to resemble':19}{'leading in the result':22}")
    lines += [_spell_line(student.seat, spell) for student in score.students for spell in student.spells]
    return "\n".join([*lines, "", *_sums(score)])


def _student_line(student: StudentScore) -> str:
    shares = "".join(
        f"{_rounded(share):>7}"
        for share in (student.present_share, student.seen_share, student.presence_error)
    )
    facing = "-" if student.facing_agreement is None else _rounded(student.facing_agreement)
    flag = student.outcome or "none"
    wanted = "" if (flag == FLAGGED) == student.should_be_flagged else "  (not as scripted)"
    return f"{student.seat:8}{student.pseudonym or 'not found':12}{shares}{facing:>8}  {flag}{wanted}"


def _spell_line(seat: str, spell: SpellScore) -> str:
    reading = "no whole bin with a reading"
    if spell.probability is not None:
        mark = "" if spell.agrees else "  (differs)"
        reading = f"{spell.leading} {spell.probability:.2f}{mark}"
    return f"{seat:8}{spell.start_s:6.1f}{spell.end_s:6.1f}  {spell.expected:19}{reading}"


def _sums(score: Score) -> list[str]:
    agreeing, readings = score.spells_agreeing
    people = len(score.students)
    facing = "no direction read" if score.facing_agreement is None else _rounded(score.facing_agreement)
    return [
        f"students found: {score.found} of {people}; stored people who are nobody: {len(score.strays)}",
        f"presence: wrong by {_rounded(score.presence_error)} of the time; direction agrees: {facing}",
        f"leading expression as drawn: {agreeing} of {readings} spells with a reading",
        f"flags as scripted: {score.flags_agreeing} of {people} (precision {_rounded(score.flag_precision)}, "
        f"recall {_rounded(score.flag_recall)})",
    ]


def _rounded(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"
