"""Pages that stand alone: one HTML file with its tables and plots inside, to read, to print and to send."""
