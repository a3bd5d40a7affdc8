import { useVideoConfig } from "remotion";
import { design as given } from "./design";
import { Grid, type ChartProps } from "./Grid";
import type { Design } from "./koda/design";
import { alpha, clamp, during, ease, mix } from "./koda/motion";
import { textWidth } from "./koda/text";
import { write } from "./plot";

const design: Design = given;
const { colors, fonts } = design;

interface Point {
  x: number;
  y: number;
}

/** A curve through the points that never overshoots them: level where the numbers turn. */
function curve(points: Point[]): string {
  const slope = points.map((point, index) => {
    const before = points[index - 1];
    const after = points[index + 1];
    if (!before || !after) return 0;
    const left = (point.y - before.y) / (point.x - before.x);
    const right = (after.y - point.y) / (after.x - point.x);
    return left * right <= 0 ? 0 : (2 * left * right) / (left + right);
  });
  return points
    .map((point, index) => {
      const before = points[index - 1];
      if (!before) return `M${point.x},${point.y}`;
      const third = (point.x - before.x) / 3;
      return `C${before.x + third},${before.y + third * (slope[index - 1] ?? 0)} ${point.x - third},${point.y - third * (slope[index] ?? 0)} ${point.x},${point.y}`;
    })
    .join("");
}

/** A line that runs across the grid with light below it; each point answers as it is passed. */
export function Line({ chart, at, seconds, leaving }: ChartProps) {
  const { width, height } = useVideoConfig();
  const { slots, unit, area } = chart;
  const points = slots.map(({ middle, end }) => ({ x: middle, y: end }));
  const path = curve(points);
  const run = during(at, 0.32, 1, ease.inOut);
  const first = points[0]?.x ?? 0;
  const last = points.at(-1)?.x ?? 0;
  const front = mix(first, last, run) + (run >= 1 ? unit * 3 : 0);
  const floor = area.y + area.height;
  const labelSize = Math.min(unit * 2.8, ...slots.map(({ label, size }) => (size * 0.94) / textWidth(label, fonts.body, 500, 1)));
  const crowded = slots.length > 8;
  return (
    <svg width={width} height={height} style={{ position: "absolute" }}>
      <defs>
        <linearGradient id="stroke" gradientUnits="userSpaceOnUse" x1={first} x2={last} y1="0" y2="0">
          <stop offset="0" stopColor={colors.primary} />
          <stop offset="1" stopColor={colors.accent} />
        </linearGradient>
        <linearGradient id="below" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor={colors.primary} stopOpacity="0.42" />
          <stop offset="1" stopColor={colors.primary} stopOpacity="0" />
        </linearGradient>
        <clipPath id="run">
          <rect x={0} y={0} width={Math.max(0, front)} height={height} />
        </clipPath>
      </defs>
      <Grid chart={chart} at={at} />
      <g clipPath="url(#run)" opacity={1 - leaving}>
        <path d={`${path}L${last},${floor}L${first},${floor}Z`} fill="url(#below)" />
        <path d={path} fill="none" stroke="url(#stroke)" strokeWidth={unit * 0.8} strokeLinecap="round" strokeLinejoin="round" />
      </g>
      {slots.map(({ label, value, middle, end, peak }, index) => {
        const when = slots.length > 1 ? (middle - first) / (last - first) : 0;
        // The front passes a point when the eased run reaches it.
        const passed = clamp((run - when) * 6 + (run >= 1 ? 1 : 0));
        const pop = ease.outBack(passed);
        const beat = peak ? 1 + 0.5 * Math.sin(seconds * 3) : 0;
        return (
          <g key={index} opacity={1 - leaving}>
            {peak ? <circle cx={middle} cy={end} r={unit * (1.6 + beat) * pop} fill={alpha(colors.accent, 0.25)} /> : null}
            <circle cx={middle} cy={end} r={unit * (peak ? 1.35 : 0.95) * pop} fill={colors.background} stroke={peak ? colors.accent : colors.text} strokeWidth={unit * 0.45 * pop} />
            {crowded && !peak && index !== slots.length - 1 ? null : (
              <text
                x={middle}
                y={end - unit * 3 - unit * 1.4 * (1 - passed)}
                textAnchor={index === slots.length - 1 && slots.length > 4 ? "end" : "middle"}
                fontFamily={fonts.title}
                fontWeight={700}
                fontSize={unit * (peak ? 4 : 3.1)}
                fill={peak ? colors.accent : colors.text}
                opacity={passed}
                style={{ fontVariantNumeric: "tabular-nums", paintOrder: "stroke" }}
                stroke={colors.background}
                strokeWidth={unit * 0.7}
                strokeLinejoin="round"
              >
                {write(mix(0, value, ease.outStrong(passed)), chart)}
              </text>
            )}
            <text x={middle} y={floor + unit * 5} textAnchor="middle" fontFamily={fonts.body} fontWeight={500} fontSize={labelSize} fill={peak ? colors.text : alpha(colors.text, 0.7)} opacity={during(at, 0.2 + 0.4 * when, 0.5 + 0.4 * when)}>
              {label}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
