"""New plugin packages, written from templates."""

from .names import PluginNames, plugin_names
from .write import KINDS, write_plugin

__all__ = ["KINDS", "PluginNames", "plugin_names", "write_plugin"]
