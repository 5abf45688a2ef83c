"""One session: the pipeline of stages, the session loop, its state machine, live status and composition.

In: a source of frames and settings. Out: a recorded session in the database, and live status for the daemon.
"""
