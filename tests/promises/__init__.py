"""The six promises of dispatch, one file each, told so that a newcomer can read them; and an oracle that knows the rules
from the requirements alone, against which random shifts are played.
"""
