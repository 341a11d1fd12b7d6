"""Where results go: JSON Lines, MOTChallenge text, video, a picture, a window, a table. Each module is one sink."""
