"""The history over many sessions. In: summaries and flags from the database. Out: data, tables and pages
of a session list, one student, a comparison, trends and a term."""
