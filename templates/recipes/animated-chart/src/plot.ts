/** From numbers to places: a scale with round steps, and a slot for each number. */

export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Slot {
  label: string;
  value: number;
  /** Middle of the slot along the axis of labels, and its width. */
  middle: number;
  size: number;
  /** Where the value is along the other axis. */
  end: number;
  /** The largest of all. */
  peak: boolean;
}

export interface Chart {
  area: Area;
  unit: number;
  /** Labels run down the side rather than along the bottom. */
  rows: boolean;
  /** Where zero is along the axis of values. */
  zero: number;
  slots: Slot[];
  ticks: { value: number; at: number }[];
  /** Digits after the point that values are written with. */
  digits: number;
  prefix: string;
  suffix: string;
}

interface Options {
  rows: boolean;
  line: boolean;
  prefix: string;
  suffix: string;
}

/** A round number near this one: 1, 2, 2.5 or 5 times a power of ten. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const share = rough / power;
  return (share <= 1 ? 1 : share <= 2 ? 2 : share <= 2.5 ? 2.5 : share <= 5 ? 5 : 10) * power;
}

export function plot(data: { label: string; value: number }[], whole: Area, unit: number, { rows, line, prefix, suffix }: Options): Chart {
  const values = data.map(({ value }) => value);
  const highest = Math.max(...values, 0);
  const lowest = Math.min(...values, 0);
  const step = roundStep((highest - lowest || 1) / 4);
  const top = Math.ceil(highest / step) * step || step;
  const bottom = Math.floor(lowest / step) * step;

  // Room for labels and for the numbers at the ends.
  const longest = Math.max(...data.map(({ label }) => [...label].length), 1);
  const side = rows ? Math.min(whole.width * 0.3, unit * (2 + longest * 1.9)) : unit * 8;
  const area: Area = rows
    ? { x: whole.x + side, y: whole.y, width: whole.width - side - unit * 14, height: whole.height - unit * 5 }
    : { x: whole.x + side, y: whole.y + unit * 5, width: whole.width - side, height: whole.height - unit * 12 };

  const place = (value: number) => {
    const share = (value - bottom) / (top - bottom);
    return rows ? area.x + share * area.width : area.y + (1 - share) * area.height;
  };
  const along = rows ? area.height : area.width;
  const first = rows ? area.y : area.x;
  const size = along / Math.max(1, data.length);
  const peak = values.indexOf(Math.max(...values));
  // A line goes from edge to edge; columns have half a gap on each side.
  const slots = data.map(({ label, value }, index) => ({
    label,
    value,
    middle: line && data.length > 1 ? first + size * 0.3 + ((along - size * 0.6) * index) / (data.length - 1) : first + size * (index + 0.5),
    size,
    end: place(value),
    peak: index === peak,
  }));
  const ticks = Array.from({ length: Math.round((top - bottom) / step) + 1 }, (_, index) => bottom + index * step).map((value) => ({ value, at: place(value) }));
  const decimals = (value: number) => (Number.isInteger(value) ? 0 : Math.min(2, String(value).split(".")[1]?.length ?? 0));
  return { area, unit, rows, zero: place(0), slots, ticks, digits: Math.max(0, ...values.map(decimals)), prefix, suffix };
}

/** A number as it is read: grouped, and short where it is long. */
export function write(value: number, { digits, prefix, suffix }: Pick<Chart, "digits" | "prefix" | "suffix">): string {
  const size = Math.abs(value);
  const [scaled, letter] = size >= 1e9 ? [value / 1e9, "B"] : size >= 1e6 ? [value / 1e6, "M"] : size >= 1e5 ? [value / 1e3, "K"] : [value, ""];
  const shown = scaled.toLocaleString("en-US", { minimumFractionDigits: letter ? 0 : digits, maximumFractionDigits: letter ? 1 : digits });
  return `${prefix}${shown}${letter}${suffix}`;
}
