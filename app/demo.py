"""The demonstration plant."""
