"""The built-in detector: an SSD from a bundle, run by LiteRT or TensorFlow."""
