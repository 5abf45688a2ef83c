"""The database: records go in through a unit of work and come out of reads by topic; schema and
migrations."""
