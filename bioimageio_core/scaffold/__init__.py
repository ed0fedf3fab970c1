"""New plugin packages, written from templates."""

from .naming import PluginNames, plugin_names
from .plugin_writer import KINDS, write_plugin

__all__ = ["KINDS", "PluginNames", "plugin_names", "write_plugin"]
