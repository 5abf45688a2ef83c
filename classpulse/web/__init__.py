"""The dashboard: HTTP requests of teachers, administrators and students in; HTML pages, JSON and files out.

It calls the same services as the command line and starts the daemon if none is running.
"""
