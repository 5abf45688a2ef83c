"""The daemon: takes recording requests (control socket, timetable), runs one worker process per room, reports
status, metrics and health, and starts the jobs that follow a session.

``classpulse.cli`` composes it: settings, database, logs and policy are handed in.
"""
