"""Data sets of pictures with boxes: EgoHands and other people's formats -> annotations -> splits -> TFRecords.

Used from a checkout: ``python -m data_tools.egohands``, ``python -m data_tools.tfrecords``; see README.md.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow reads it once, while it is imported
