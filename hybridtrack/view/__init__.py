"""The viewer: tracks over their video in a web browser, of a file, also while it grows, or of a run that goes on."""
