"""Use cases of the commands and the dashboard: database and settings in, stored changes and files out."""
