"""The database: its schema and migrations. Records are written in a unit of work and read by functions, one
module per topic."""
