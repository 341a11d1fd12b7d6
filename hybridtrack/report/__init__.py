"""What is in a track file, as a page to read, to print and to send."""
