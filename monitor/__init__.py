"""Capture and analysis of one lesson.

In: a camera, stream, file or online lesson, and settings. Out: observations of students in the database
(``db``).
"""
