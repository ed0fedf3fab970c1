"""Carries out plans: passes over boxes, and the executors that run their tasks."""
