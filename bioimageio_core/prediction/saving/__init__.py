"""Saves arrays with named axes that are in memory, or lazy, as runs write their outputs."""
