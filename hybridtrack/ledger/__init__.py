"""Who touched and held what, when and for how long: from the frames of a track file, in the formats of its readers."""
