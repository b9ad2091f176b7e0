"""Models that tests compare the project with."""
