"""What was over many sessions: lists, one student, two lessons, weeks, a term."""
