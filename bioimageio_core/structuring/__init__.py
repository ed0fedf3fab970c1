"""Trees of mappings, lists and scalars to frozen classes and back, by cattrs; every problem is found at once, each with its path.

Nothing here knows a description format or the registry: the same code checks the classes of plugins when their entries are collected.
"""
