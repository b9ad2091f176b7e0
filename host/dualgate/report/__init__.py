"""What a run shows: summaries, pictures and progress."""
