"""A training run: recipe, trainer, weight updates, checkpoints and records."""
