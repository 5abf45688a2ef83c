"""The timeline of a session.

In: ``FrameResult``, ``Gap`` and notes of a running session. Out: rows of the database: bins, tracks, gaps,
markers and the progress of the session, in one transaction per batch.
"""
