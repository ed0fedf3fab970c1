"""Labels of objects in windows, and tables of objects."""
