"""A file that the package mrcfile wrote."""

from __future__ import annotations

import base64
import zlib

import numpy as np

__all__ = ["MRC_FILE", "MRC_PIXELS"]

PACKED = (
    "c-rmL;b#J29KiAKiYb~HV?>^q#<+R9tLSW2S23n+j4{UA?T(|_ImHq&B1Zp1FM8X%{=n{L&FNKddXxL`ef9G^es6vW;Lz{judqaD2D2KtezPhpjdj5+"
    "<`@5ebySC`vH4eE(PrmbwR_QM!2CM@yF=ZxIz8)MybZ*MXWCBJx^xF(JE~O6N}-@=Qb<jgMZHuML?U}7?%#Nl6lsn*;gk$na-4C_1qu?4G8L}4!Jx@4"
    "ceHunktd#c;T01bhc2IZ^!Z}Qh;PPB_+iQleP<{Z"
)

MRC_PIXELS = np.arange(0, 144, 3, dtype=np.int16).reshape(1, 6, 8)
"""Along z, y and x."""

MRC_FILE = zlib.decompress(base64.b85decode(PACKED))
"""An image with these pixels, of 5 x 2.5 x 2.5 angstrom each."""
