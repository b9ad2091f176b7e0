"""Value lane: pre-activations and activations of each layer."""
