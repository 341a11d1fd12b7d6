"""The SSD network in Keras 3, the import of published weights into it, and the export of bundles."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow reads it once, while it is imported
