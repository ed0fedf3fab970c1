import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimageio_core.demo.synthetic import _nucleus, nuclei_block, nuclei_centres

WHOLE = nuclei_block(3, -150, 900, 300, 280)


class TestPlane:
    @settings(max_examples=15, deadline=None)
    @given(st.integers(0, 250), st.integers(0, 230), st.integers(1, 50), st.integers(1, 50))
    def test_window_of_window(self, y: int, x: int, height: int, width: int) -> None:
        """A window is cut out of any larger one, pixel by pixel, noise included."""
        image, mask = nuclei_block(3, y - 150, x + 900, height, width)
        assert np.array_equal(image, WHOLE[0][y : y + height, x : x + width])
        assert np.array_equal(mask, WHOLE[1][y : y + height, x : x + width])

    def test_looks_like_a_camera(self) -> None:
        """Counts of 16 bits above the offset, nuclei brighter than their surroundings and not everywhere."""
        image, mask = WHOLE
        assert (image.dtype, mask.dtype) == (np.uint16, np.bool_)
        assert image.min() >= 100
        assert 0.1 < mask.mean() < 0.5
        assert image[mask].mean() > 2 * image[~mask].mean()

    def test_centres(self) -> None:
        """The middle of a nucleus lies in it, and a larger window has the same ones."""
        centres = nuclei_centres(3, -150, 900, 200, 200)
        assert 20 < len(centres) < 80
        assert nuclei_block(3, -150, 900, 200, 200)[1][centres[:, 0], centres[:, 1]].mean() > 0.95
        larger = nuclei_centres(3, -200, 850, 300, 300) - 50
        assert {tuple(centre) for centre in centres.tolist()} <= {tuple(centre) for centre in larger.tolist()}

    def test_seeds_differ(self) -> None:
        """Another seed is another plane."""
        assert not np.array_equal(nuclei_block(3, 0, 0, 64, 64)[1], nuclei_block(4, 0, 0, 64, 64)[1])

    def test_far_away(self) -> None:
        """The plane has no end in reach, does not repeat nearby, and keeps the shapes of its nuclei."""
        far = nuclei_block(3, 2**40, -(2**40), 64, 64)[0]
        assert far.shape == (64, 64)
        assert not np.array_equal(far, nuclei_block(3, 0, 0, 64, 64)[0])
        numbers = [0.3, 0.7, 0.5, 0.5, 0.2, 0.5, 0.5, 0.1, 0.9]
        here, there = _nucleus(0, 0, numbers), _nucleus(2**40, -(2**40), numbers)
        assert np.array_equal(here[2], there[2])
        assert (there[0] - here[0], there[1] - here[1]) == (2**40, -(2**40))
