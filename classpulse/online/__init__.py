"""Online lessons: students join with a code from their own computers.

Input: camera frames (JPEG) of each participant's browser. Output: one frame source for the recorder, a tile
per participant; and the erasure of the data of participants who withdraw.
"""
