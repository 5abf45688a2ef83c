"""Reports. In: the database's records of one session or of a class. Out: HTML, PDF, CSV and JSON, and the
summaries that the history reads."""
