"""Error unit: outputs, errors and the update scalars of the output layer."""
