"""Prediction: a normalised model, a plan, and the tasks that carry it out."""
