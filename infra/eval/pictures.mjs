// What can be measured in a check's contact sheet.

/** How far a pixel may be from a colour, in each of red, green and blue: letters have soft edges, light has gradients. */
const NEAR = 28;
/** How much of the pictures a colour must fill to be there. */
export const SHARE = 0.0008;
/** The sheet's measures, as `sheet` in templates/capture/src/pixels.rs has them. */
const [WIDTH, GAP, COLUMNS, MOST] = [528, 4, 3, 6];

const parts = (color) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));

/** A test of whether the pixel that begins at a byte has nearly this colour. */
function having(pixels, color) {
  const [red, green, blue] = parts(color);
  return (at) => Math.abs(pixels[at] - red) <= NEAR && Math.abs(pixels[at + 1] - green) <= NEAR && Math.abs(pixels[at + 2] - blue) <= NEAR;
}

/** The share of all pixels that have a colour. */
export function share(pixels, color) {
  const has = having(pixels, color);
  let near = 0;
  for (let at = 0; at < pixels.length; at += 3) if (has(at)) near++;
  return pixels.length === 0 ? 0 : near / (pixels.length / 3);
}

/** Where a colour is in each picture that has it: its middle and its box, in shares of the picture's width, and how much of the box it fills. */
function places(pixels, shots, color) {
  const has = having(pixels, color);
  const count = Math.min(shots, MOST);
  const columns = Math.min(count, COLUMNS);
  const rows = Math.ceil(count / columns);
  const cell = Math.floor((WIDTH - GAP * (columns - 1)) / columns);
  const tall = (pixels.length / 3 / WIDTH - GAP * (rows - 1)) / rows;
  const found = [];
  for (let picture = 0; picture < count; picture++) {
    const [left, top] = [(picture % columns) * (cell + GAP), Math.floor(picture / columns) * (tall + GAP)];
    const at = { count: 0, x: 0, least: [Infinity, Infinity], most: [-1, -1] };
    for (let y = 0; y < tall; y++) {
      for (let x = 0; x < cell; x++) {
        if (!has(((top + y) * WIDTH + left + x) * 3)) continue;
        at.count++;
        at.x += x;
        at.least = [Math.min(at.least[0], x), Math.min(at.least[1], y)];
        at.most = [Math.max(at.most[0], x), Math.max(at.most[1], y)];
      }
    }
    // A few pixels are the soft edge of something else.
    if (at.count < 12) continue;
    const box = (at.most[0] - at.least[0] + 1) * (at.most[1] - at.least[1] + 1);
    found.push({ x: at.x / at.count / cell, filled: at.count / box });
  }
  return found;
}

const reach = (numbers) => (numbers.length === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers));

/** How far the middle of a colour moves from side to side, in shares of the picture's width. */
export function way(pixels, shots, color) {
  return reach(places(pixels, shots, color).map((place) => place.x));
}

/** The least and the most that a colour fills of the box around it: a star little, a circle 0.79, a square all. */
export function filling(pixels, shots, color) {
  const filled = places(pixels, shots, color).map((place) => place.filled);
  return [Math.min(...filled), Math.max(...filled)];
}

/** The share of pixels in which two sheets differ. */
export function difference(one, other) {
  if (one.length !== other.length) return 1;
  let others = 0;
  for (let at = 0; at < one.length; at += 3) {
    if (Math.max(...[0, 1, 2].map((channel) => Math.abs(one[at + channel] - other[at + channel]))) > 8) others++;
  }
  return one.length === 0 ? 0 : others / (one.length / 3);
}
