"""What the tracks of a frame have to do with each other."""
