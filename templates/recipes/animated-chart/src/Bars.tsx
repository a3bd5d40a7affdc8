import { useVideoConfig } from "remotion";
import { design as given } from "./design";
import { Grid, type ChartProps } from "./Grid";
import type { Design } from "./koda/design";
import { alpha, clamp, during, ease, mix, stagger } from "./koda/motion";
import { textWidth } from "./koda/text";
import { write } from "./plot";

const design: Design = given;
const { colors, fonts } = design;

/** Columns, or rows where the picture is tall. The largest stands out. */
export function Bars({ chart, at, seconds, leaving }: ChartProps) {
  const { width, height } = useVideoConfig();
  const { slots, unit, zero, rows } = chart;
  const count = slots.length;
  const thick = Math.min((slots[0]?.size ?? 0) * 0.62, unit * (rows ? 9 : 16));
  const labelSize = Math.min(unit * 2.9, ...slots.map(({ label, size }) => (rows ? unit * 3 : (size * 0.94) / textWidth(label, fonts.body, 500, 1))));
  return (
    <svg width={width} height={height} style={{ position: "absolute" }}>
      <defs>
        <linearGradient id="bar" x1="0" y1={rows ? 0 : 1} x2={rows ? 1 : 0} y2="0">
          <stop offset="0" stopColor={alpha(colors.primary, 0.55)} />
          <stop offset="1" stopColor={colors.primary} />
        </linearGradient>
        <linearGradient id="bar-peak" x1="0" y1={rows ? 0 : 1} x2={rows ? 1 : 0} y2="0">
          <stop offset="0" stopColor={colors.primary} />
          <stop offset="1" stopColor={colors.accent} />
        </linearGradient>
      </defs>
      <Grid chart={chart} at={at} />
      {slots.map(({ label, value, middle, end, peak }, index) => {
        const grow = stagger(at, index, count, 0.3, 1, ease.outBack, 0.55) * (1 - leaving);
        const counted = stagger(at, index, count, 0.3, 1, ease.outStrong, 0.6);
        const glow = peak ? during(at, 0.9, 1.15) * (0.75 + 0.25 * Math.sin(seconds * 2.2)) : 0;
        const length = (end - zero) * grow;
        const tip = zero + length;
        const radius = Math.min(thick * 0.22, Math.abs(length) / 2);
        const box = rows
          ? { x: Math.min(zero, tip), y: middle - thick / 2, width: Math.abs(length), height: thick }
          : { x: middle - thick / 2, y: Math.min(zero, tip), width: thick, height: Math.abs(length) };
        const outside = value < 0 ? -1 : 1;
        const numberSize = unit * (peak ? 4.1 : 3.4);
        const shown = clamp(counted * 3) * (1 - leaving);
        return (
          <g key={index}>
            {glow > 0 ? (
              <rect x={box.x - unit} y={box.y - unit} width={box.width + 2 * unit} height={box.height + 2 * unit} rx={radius + unit} fill={alpha(colors.accent, 0.16 * glow)} />
            ) : null}
            <rect {...box} rx={radius} fill={peak ? "url(#bar-peak)" : "url(#bar)"} />
            <text
              x={rows ? tip + outside * unit * 1.6 : middle}
              y={rows ? middle : tip - outside * unit * 1.9}
              dy={rows ? "0.36em" : value < 0 ? "0.7em" : 0}
              textAnchor={rows ? (value < 0 ? "end" : "start") : "middle"}
              fontFamily={fonts.title}
              fontWeight={700}
              fontSize={numberSize}
              fill={peak ? colors.accent : colors.text}
              opacity={shown}
              style={{ fontVariantNumeric: "tabular-nums" }}
            >
              {write(mix(0, value, counted), chart)}
            </text>
            <text
              x={rows ? chart.area.x - unit * 2 : middle}
              y={rows ? middle : chart.area.y + chart.area.height + unit * 5}
              dy={rows ? "0.36em" : 0}
              textAnchor={rows ? "end" : "middle"}
              fontFamily={fonts.body}
              fontWeight={500}
              fontSize={labelSize}
              fill={peak ? colors.text : alpha(colors.text, 0.7)}
              opacity={stagger(at, index, count, 0.2, 0.8, ease.out, 0.4)}
            >
              {label}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
