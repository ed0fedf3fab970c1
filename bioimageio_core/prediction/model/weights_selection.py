"""Chooses among the weights of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ...errors import InputError, MissingRequirementError, UnknownExtensionError
from ...registry import Registry, missing_requirements, plugin_hint
from ...spec.extensions import OpaqueWeights
from ...structuring.problems import StructureProblems
from ...typing import Precision
from ..options import PlanOptions

__all__ = ["WeightsChoice", "choose_weights", "runnable_formats", "settings_in_words"]


@attrs.frozen(kw_only=True)
class WeightsChoice:
    """The chosen weights, their adapter, devices and settings."""

    weights_format: str
    adapter: str
    devices: tuple[str, ...]
    """Devices to run on, with one loaded network each."""

    precision: Precision = "fp32"
    compile: bool = False
    thread_safe: bool = True
    """Whether the adapter allows concurrent calls of one network."""

    imports: tuple[str, ...] = ()
    """Libraries to import before the weights are loaded."""

    @property
    def on_cpu(self) -> bool:
        """Whether the network computes on the same cores as reading and writing."""
        return all(device.partition(":")[0] == "cpu" for device in self.devices)

    @property
    def one_at_a_time(self) -> bool:
        """Whether each network allows one call at a time: it is not thread-safe, or calls on its kind of device may not be."""
        return not self.thread_safe or any(device.partition(":")[0] not in ("cpu", "cuda") for device in self.devices)

    def calls(self, requested: int | None, cores: int) -> int:
        """Return the number of concurrent calls of the network.

        One per core on a CPU; two per CUDA device, where one computes while inputs and outputs of the other are copied.
        Networks that allow one call at a time get one per device, whatever is requested.
        """
        if self.one_at_a_time:
            return len(self.devices)
        return requested or (cores if self.on_cpu else 2 * len(self.devices))

    @property
    def settings(self) -> str:
        """Devices and settings of the network in words."""
        return settings_in_words(self.devices, self.precision, self.compile)


def settings_in_words(devices: Sequence[str], precision: Precision, compile: bool) -> str:  # noqa: A002 (the word of the option)
    """Return devices and settings of a network in words, as in ``cuda:0, bf16, compiled``."""
    return ", ".join([*devices, *([] if precision == "fp32" else [precision]), *(["compiled"] if compile else [])])


def choose_weights(weights: Mapping[str, Any], registry: Registry, options: PlanOptions) -> WeightsChoice:
    """Choose the weights: the requested format, else that of the installed adapter with the highest preference.

    Args:
        weights: Entries of the description by weights format.
        registry: What is registered.
        options: `weights_format`, `device`, `precision`, `compile` and `imports` are used.

    Raises:
        InputError: The model lacks the requested format, or no adapter supports the device or the settings.
        UnknownExtensionError: No installed plugin runs any of the formats.
        MissingRequirementError: Plugins run them, but their frameworks are not installed.

    """
    weights_format, kinds = options.weights_format, {device.partition(":")[0] for device in options.devices}
    if weights_format is not None and weights_format not in weights:
        raise InputError(f"the model has no {weights_format!r} weights: expected one of {', '.join(weights)}")
    candidates = [weights_format] if weights_format else list(weights)
    described = [f for f in candidates if not isinstance(weights[f], OpaqueWeights)]
    adapters = sorted((a for f in described for a in registry.adapters_for(f)), key=lambda a: (-a.preference, a.name))
    if not adapters:
        reasons = [f"{f}{_refusal(weights[f]) or plugin_hint('weights_formats', f)}" for f in candidates]
        raise UnknownExtensionError(
            f"no installed plugin runs the weights of this model ({', '.join(reasons)}); 'bmz plugins' lists what can be run"
        )
    on_device = [a for a in adapters if kinds <= set(a.devices)]
    if not on_device:
        known = ", ".join(dict.fromkeys(d for a in adapters for d in a.devices))
        raise InputError(f"device {options.device!r} cannot run the weights of this model: expected one of {known}")
    usable = [a for a in on_device if options.precision in a.precisions and (a.compiles or not options.compile)]
    if not usable:
        able = "; ".join(f"{a.weights_format}: {', '.join(a.precisions)}{', compile' if a.compiles else ''}" for a in on_device)
        requested = f"precision {options.precision!r}" + (" with compile" if options.compile else "")
        raise InputError(f"no adapter runs the weights of this model at {requested}: expected some of {able}")
    for adapter in usable:
        if not missing_requirements(adapter.requires):
            return WeightsChoice(
                weights_format=adapter.weights_format,
                adapter=adapter.name,
                devices=options.devices,
                precision=options.precision,
                compile=options.compile,
                thread_safe=adapter.thread_safe,
                imports=options.imports,
            )
    needs = "; ".join(f"{a.weights_format} needs {', '.join(missing_requirements(a.requires))} (pip install '{a.extra}')" for a in usable)
    raise MissingRequirementError(f"no framework that runs the weights of this model is installed: {needs}")


def runnable_formats(weights: Mapping[str, Any], registry: Registry) -> dict[str, str]:
    """Return, for each weights format of a model, why it cannot run here; an empty text where it can."""
    answers = {}
    for name in weights:
        adapters = registry.adapters_for(name)
        missing = [missing_requirements(a.requires) for a in adapters]
        if not adapters or isinstance(weights[name], OpaqueWeights):
            answers[name] = f"no installed plugin runs it{_refusal(weights[name]) or plugin_hint('weights_formats', name)}"
        elif all(missing):
            answers[name] = f"{', '.join(missing[0])} is not installed (pip install '{adapters[0].extra}')"
        else:
            answers[name] = ""
    return answers


def _refusal(entry: Any) -> str:
    """Return in brackets why the plugin that describes a weights format refuses an entry."""
    refused = getattr(entry, "refused", ())
    return f" ({StructureProblems(list(refused))})" if refused else ""
