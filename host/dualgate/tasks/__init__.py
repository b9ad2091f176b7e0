"""Tasks: a data set, a network and a recipe under one name."""
