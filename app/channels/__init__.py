"""Ways to reach a person. A channel is a file here, one line in `registry.py`, and a test."""
