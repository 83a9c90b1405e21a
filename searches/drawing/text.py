"""How wide a text will be, without a browser: close enough to size a box."""

NARROW = frozenset("iljtf.,:;'|!() ")
WIDE = frozenset("mwMW×−")
FIRST_CJK = 0x2E80


def text_width(text: str, size: float) -> float:
    """Return the estimated width in pixels at a font size in pixels; rather too wide than too narrow."""
    return size * sum(_em(character) for character in text)


def _em(character: str) -> float:
    if ord(character) >= FIRST_CJK:
        return 1.0
    if character in NARROW:
        return 0.36
    if character in WIDE:
        return 0.88
    return 0.68 if character.isupper() else 0.6


def short(count: float) -> str:
    """Write a count in three digits or so: 940, 35.9k, 3.21M."""
    for bound, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= bound * 0.9995:
            return f"{count / bound:.3g}{unit}" if count < bound * 999.5 else f"{count / bound:.0f}{unit}"
    return f"{count:.0f}"


def shape_text(shape: tuple[int, ...]) -> str:
    """Write a tensor shape as channels × height × width."""
    return "×".join(str(side) for side in shape)
