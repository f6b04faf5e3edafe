"""How well text stands out from its ground, by WCAG's reckoning."""

import re

COLOURS = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const plain = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return a === 255 ? `rgb(${r}, ${g}, ${b})` : null;
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = plain(getComputedStyle(at).backgroundColor);
      if (colour) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    const words = [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const box = one.matches('textarea, input') && one.placeholder;
    if (!(words || box) || !one.checkVisibility({visibilityProperty: true})) continue;
    if (one.disabled || one.closest('.unseen, [hidden], option, noscript, .skip')) continue;
    const style = getComputedStyle(one, box && !words ? '::placeholder' : null);
    found.push({
      what: `${one.tagName}.${one.className}`,
      ink: plain(style.color),
      ground: ground(one),
    });
  }
  return found;
}"""
"""Of every element with words of its own: their colour, and that of what they stand on."""


def ratio(one: str, other: str) -> float:
    """The contrast of two colours, `rgb(r, g, b)` each: 1 to 21."""
    light, dark = sorted((_light(one), _light(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _light(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
