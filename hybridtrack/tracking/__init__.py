"""Tracking: carries boxes between detector runs, associates detections, starts and ends tracks."""
