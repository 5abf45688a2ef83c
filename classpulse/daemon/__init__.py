"""The program that records live lessons: its supervisor at work, its recordings, its timetable and what
follows."""
