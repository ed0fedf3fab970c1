"""Macros of the structure that deepImageJ's have, written for these tests, and what they compute by plain numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SCALE_LINEAR = """
// multiply, then add
gain = {gain};
offset = {offset};
run("32-bit");
run("Multiply...", "value=" + gain + " stack");
run("Add...", "value=" + offset + " stack");
"""

BINARIZE = """
optimalThreshold = {threshold};
setThreshold(optimalThreshold, 1000000000000000000000000000000.0000);
setOption("BlackBackground", true);
run("Convert to Mask");
"""

BINARIZE_TO_ONE = BINARIZE + 'run("Divide...", "value=255.000");\n'

ZERO_MEAN_UNIT_VARIANCE = """
run("32-bit");
getStatistics(area, mean, min, max, std);
run("Subtract...", "value=" + mean);
run("Divide...", "value=" + std);
"""

FIXED_ZERO_MEAN_UNIT_VARIANCE = """
paramMean = {mean};
paramStd = {std};
run("32-bit");
run("Subtract...", "value=" + paramMean + " stack");
run("Divide...", "value=" + paramStd + " stack");
"""

SCALE_RANGE = """
/* Percentiles by a histogram. */
min_percentile = {low};
max_percentile = {high};
nBins = 256;
run("32-bit");
getHistogram(values, counts, nBins);
total = 0;
for (i = 0; i < nBins; i++) {{
    total += counts[i];
}}
low = percentile(values, counts, total, min_percentile);
high = percentile(values, counts, total, max_percentile);
run("Subtract...", "value=" + low);
run("Divide...", "value=" + (high - low + 1e-20));

function percentile(values, counts, total, wanted) {{
    sum = 0;
    bin = -1;
    do {{
        bin++;
        sum += counts[bin];
    }} while (sum < total * wanted / 100 && bin < values.length - 1);
    return values[bin];
}}
"""

PERCENTILE_NORMALIZATION = """
pmin = {low}; pmax = {high};
run("32-bit");
nBins = 256;
n = getWidth() * getHeight();
getHistogram(v, c, nBins);
i = 0; s = c[0];
while (s / n < pmin / 100) {{ i = i + 1; s = s + c[i]; }}
low = v[i];
i = 0; s = c[0];
while (s / n < pmax / 100) {{ i = i + 1; s = s + c[i]; }}
high = v[i];
run("Subtract...", "value=" + low);
diff = high - low;
run("Divide...", "value=" + diff);
"""

MEAN_NORMALIZATION = """
run("32-bit");
getStatistics(area, mean, min, max);
run("Subtract...", "value=" + mean);
run("Divide...", "value=" + (max - min));
"""

EIGHT_BIT_BINARIZE = """
optimalThreshold = {threshold};
run("8-bit");
setThreshold(optimalThreshold, 255);
setOption("BlackBackground", true);
run("Convert to Mask");
"""

DIALOG = 'Dialog.create("Ask");\nDialog.show();\nrun("Watershed");\n'


def histogram_start(image: Array, percent: float) -> float:
    """Return where the bin of 256 begins in which so many percent of all pixels are reached."""
    low, high = float(image.min()), float(image.max())
    bins = np.minimum(((image.astype(np.float64) - low) * 256 / (high - low)).astype(int), 255)
    reached = np.cumsum(np.bincount(bins.ravel(), minlength=256)) >= image.size * percent / 100
    return low + int(np.argmax(reached)) * (high - low) / 256


def _range(image: Array, low: float, high: float) -> Array:
    first, last = histogram_start(image, low), histogram_start(image, high)
    return (image - first) / (last - first)


def _eight_bits(image: Array, threshold: float) -> Array:
    wide = image.astype(np.float64)
    return np.where(np.floor((wide - wide.min()) * 255 / np.ptp(wide) + 0.5) >= threshold, 255.0, 0.0)


Case = tuple[str, str, Callable[[Array], Array]]

CASES: tuple[Case, ...] = (
    ("scale_linear", SCALE_LINEAR.format(gain=0.25, offset=-3), lambda a: a * 0.25 - 3),
    ("scale_linear, edited", SCALE_LINEAR.format(gain=2, offset="1.5"), lambda a: a * 2 + 1.5),
    ("binarize", BINARIZE.format(threshold=50), lambda a: np.where(a >= 50, 255.0, 0.0)),
    ("binarize, edited", BINARIZE.format(threshold="12.5"), lambda a: np.where(a >= 12.5, 255.0, 0.0)),
    ("binarize to one", BINARIZE_TO_ONE.format(threshold=50), lambda a: np.where(a >= 50, 1.0, 0.0)),
    ("zero_mean_unit_variance", ZERO_MEAN_UNIT_VARIANCE, lambda a: (a - a.mean()) / a.std(ddof=1)),
    ("fixed_zero_mean_unit_variance", FIXED_ZERO_MEAN_UNIT_VARIANCE.format(mean=30.5, std=7.25), lambda a: (a - 30.5) / 7.25),
    ("fixed_zero_mean_unit_variance, edited", FIXED_ZERO_MEAN_UNIT_VARIANCE.format(mean=0, std="20"), lambda a: a / 20),
    ("per_sample_scale_range", SCALE_RANGE.format(low=1, high="99.8"), lambda a: _range(a, 1, 99.8)),
    ("per_sample_scale_range, edited", SCALE_RANGE.format(low=25, high=75), lambda a: _range(a, 25, 75)),
    ("PercentileNormalization", PERCENTILE_NORMALIZATION.format(low=2, high=98), lambda a: _range(a, 2, 98)),
    ("8bitBinarize", EIGHT_BIT_BINARIZE.format(threshold=128), lambda a: _eight_bits(a, 128)),
    ("8bitBinarize, edited", EIGHT_BIT_BINARIZE.format(threshold=31), lambda a: _eight_bits(a, 31)),
    ("MeanNormalization", MEAN_NORMALIZATION, lambda a: (a - a.mean()) / (a.max() - a.min())),
)
"""Name, macro, and what it computes in float64."""


def pixels(height: int = 40, width: int = 50) -> Array:
    """Return an image of float32 between 0 and 100, skewed, with a pixel of 50."""
    image = (np.random.default_rng(3).random((height, width), dtype=np.float32) ** 2) * 100
    image[0, 0] = 50
    return image
