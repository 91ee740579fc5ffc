/** Colours of the demo's scenes, packed as 0xRRGGBB so that a picture's million pixels need no million objects. */
export type Colour = number;

export function rgb(red: number, green: number, blue: number): Colour {
  return (clamp(red) << 16) | (clamp(green) << 8) | clamp(blue);
}

/** Lighter or darker by a factor, each channel held within its range. */
export function shade(colour: Colour, factor: number): Colour {
  return rgb(((colour >> 16) & 255) * factor, ((colour >> 8) & 255) * factor, (colour & 255) * factor);
}

/** Of the second colour the given share, 0 to 1. */
export function mix(first: Colour, second: Colour, share: number): Colour {
  const part = share < 0 ? 0 : share > 1 ? 1 : share;
  const rest = 1 - part;
  return rgb(
    ((first >> 16) & 255) * rest + ((second >> 16) & 255) * part,
    ((first >> 8) & 255) * rest + ((second >> 8) & 255) * part,
    (first & 255) * rest + (second & 255) * part,
  );
}

/** Lightened by the same amount in each channel. */
export function lift(colour: Colour, amount: number): Colour {
  return rgb(((colour >> 16) & 255) + amount, ((colour >> 8) & 255) + amount, (colour & 255) + amount);
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value | 0;
}
