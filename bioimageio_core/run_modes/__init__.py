"""Run modes: ways of running a network other than one call per block."""
