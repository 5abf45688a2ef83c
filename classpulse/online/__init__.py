"""Online lessons: students join from their own computers, and their cameras' pictures become one source."""
