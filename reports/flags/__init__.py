"""The two flag rules. In: the timelines of one session, thresholds, baselines. Out: one decision per
student and rule, with the numbers and the reasons behind it. Pure."""
