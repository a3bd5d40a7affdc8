import { design as given } from "./design";
import type { Design } from "./koda/design";
import { alpha, ease, mix, stagger } from "./koda/motion";
import { write, type Chart } from "./plot";

const design: Design = given;
const { colors, fonts } = design;

export interface ChartProps {
  chart: Chart;
  /** 1 when the entrance is over. */
  at: number;
  seconds: number;
  leaving: number;
}

/** Lines at round numbers, each drawn from its start. */
export function Grid({ chart, at }: Pick<ChartProps, "chart" | "at">) {
  const { area, unit, rows, ticks } = chart;
  return (
    <>
      {ticks.map(({ value, at: place }, index) => {
        const drawn = stagger(at, index, ticks.length, 0.1, 0.55, ease.inOutStrong, 0.6);
        const line = rows
          ? { x1: place, x2: place, y1: area.y, y2: mix(area.y, area.y + area.height, drawn) }
          : { x1: area.x, x2: mix(area.x, area.x + area.width, drawn), y1: place, y2: place };
        return (
          <g key={value}>
            <line {...line} stroke={alpha(colors.text, value === 0 ? 0.38 : 0.12)} strokeWidth={Math.max(1, unit * (value === 0 ? 0.24 : 0.14))} strokeDasharray={value === 0 ? undefined : `${unit * 0.5} ${unit * 0.9}`} />
            <text
              x={rows ? place : area.x - unit * 2}
              y={rows ? area.y + area.height + unit * 4.4 : place}
              dy={rows ? 0 : "0.35em"}
              textAnchor={rows ? "middle" : "end"}
              fontFamily={fonts.body}
              fontSize={unit * 2.6}
              fill={alpha(colors.text, 0.6)}
              opacity={drawn}
              style={{ fontVariantNumeric: "tabular-nums" }}
            >
              {write(value, { ...chart, digits: Number.isInteger(value) ? 0 : 2 })}
            </text>
          </g>
        );
      })}
    </>
  );
}
