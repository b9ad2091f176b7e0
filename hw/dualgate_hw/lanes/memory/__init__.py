"""Memories of a core and the readers of its lists."""
