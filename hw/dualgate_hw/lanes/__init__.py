"""The wide engine: value, error, tangent and update lanes side by side."""
