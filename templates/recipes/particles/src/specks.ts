import { chance } from "./koda/motion";

export interface Speck {
  /** Its place in a letter. */
  x: number;
  y: number;
  /** Its orbit before that. */
  angle: number;
  orbit: number;
  pace: number;
  /** When it leaves its orbit, 0 to 1. */
  order: number;
  color: number;
  radius: number;
}

interface Lettering {
  lines: string[];
  size: number;
  lineHeight: number;
  family: string;
  weight: number;
  letterSpacing: number;
  /** Width of the picture, in which lines are centred, and where the first line starts. */
  width: number;
  top: number;
}

const most = 1500;

/** Finds places inside the letters, evenly spread, and gives each a speck with a fate of its own. */
export function scatter({ lines, size, lineHeight, family, weight, letterSpacing, width, top }: Lettering): Speck[] {
  // The letters are painted small and read back; a cell of the grid that has paint takes a speck.
  const scale = 400 / width;
  const canvas = document.createElement("canvas");
  canvas.width = 400;
  canvas.height = Math.max(1, Math.ceil(lines.length * size * lineHeight * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context || lines.length === 0) return [];
  context.font = `${weight} ${size * scale}px "${family}"`;
  context.letterSpacing = `${letterSpacing * size * scale}px`;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  lines.forEach((line, index) => {
    const metrics = context.measureText(line);
    const box = size * lineHeight * scale;
    const baseline = index * box + (box + metrics.fontBoundingBoxAscent - metrics.fontBoundingBoxDescent) / 2;
    context.fillText(line, 200, baseline);
  });
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const inked: { x: number; y: number }[] = [];
  for (let y = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++) if ((data[(y * canvas.width + x) * 4 + 3] ?? 0) > 120) inked.push({ x, y });
  }
  const step = Math.max(1, inked.length / most);
  const specks: Speck[] = [];
  for (let at = 0; at < inked.length; at += step) {
    const cell = inked[Math.floor(at)];
    if (!cell) continue;
    const index = specks.length;
    const random = (what: string) => chance(what, index);
    specks.push({
      x: (cell.x + random("dx")) / scale,
      y: top + (cell.y + random("dy")) / scale,
      angle: random("angle") * Math.PI * 2,
      orbit: 0.14 + 0.42 * Math.sqrt(random("orbit")),
      pace: random("pace"),
      order: 0.65 * (cell.x / canvas.width) + 0.35 * random("order"),
      color: Math.floor(random("color") ** 1.3 * 4),
      radius: [0.28, 0.42, 0.62][Math.floor(random("radius") ** 1.6 * 3)] ?? 0.42,
    });
  }
  return specks;
}
