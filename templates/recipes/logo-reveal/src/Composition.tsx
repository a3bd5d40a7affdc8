import type { CSSProperties } from "react";
import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";
import { design as given } from "./design";
import { Backdrop, Glow, Grain, Vignette } from "./koda/backdrop";
import type { Design } from "./koda/design";
import { alpha, chance, clamp, during, ease, layout, mix, stagger, timeline } from "./koda/motion";
import { Split, textWidth, useFittedText } from "./koda/text";
import { Mark } from "./Mark";

const design: Design = given;
const { title, subtitle, colors, fonts } = design;

/** Sparks fall into a point, a ring draws itself, the mark springs out of it, and the name opens beside or below. */
export default function Composition() {
  const frame = useCurrentFrame();
  const { fps, durationInFrames, width, height } = useVideoConfig();
  const time = timeline(frame, fps, durationInFrames, 2.6, 0.7);
  const { unit, inner, wide, aspect } = layout(width, height);
  const at = time.seconds / time.entered;
  const leaving = time.out(ease.inStrong);

  const beside = wide && aspect > 1.5 && title.length <= 26;
  const markSize = unit * (beside ? 30 : 38);
  const name = useFittedText(title, {
    family: fonts.title,
    weight: 700,
    width: beside ? inner.width * 0.94 - markSize - unit * 7 : inner.width * 0.94,
    height: inner.height * (beside ? 0.36 : 0.24),
    max: unit * (beside ? 17 : 14),
    lineHeight: 1.05,
    letterSpacing: -0.02,
    maxLines: 2,
  });
  const line = useFittedText(subtitle, { family: fonts.body, weight: 400, width: inner.width * (beside ? 0.5 : 0.86), height: unit * 14, max: unit * 4, lineHeight: 1.35, maxLines: 3 });

  // Where mark and text stand in the end; until then the mark is in the middle.
  const gap = unit * (beside ? 7 : 6);
  const space = unit * 1.6;
  const textHeight = name.lines.length * name.size * 1.05 + (subtitle ? space + line.lines.length * line.size * 1.35 : 0);
  const textWidthNeeded =
    Math.max(
      ...name.lines.map((text) => textWidth(text, fonts.title, 700, name.size, -0.02)),
      ...line.lines.map((text) => textWidth(text, fonts.body, 400, line.size)),
    ) + unit;
  const markX = beside ? -(gap + textWidthNeeded) / 2 : 0;
  const markY = beside ? 0 : -(gap + textHeight) / 2;
  const textX = beside ? (gap + markSize) / 2 : 0;
  const textY = beside ? 0 : (gap + markSize) / 2;

  const gather = during(at, 0, 0.36, ease.inStrong);
  const ring = during(at, 0.26, 0.5, ease.inOut);
  const pop = during(at, 0.36, 0.72, ease.outSpring);
  const shock = during(at, 0.38, 0.85, ease.outExpo);
  const settle = during(at, 0.58, 0.86, ease.inOutStrong);
  const sweep = during(at, 0.72, 1.15, ease.inOut);

  return (
    <AbsoluteFill>
      <Scene seconds={time.seconds} light={pop} leaving={leaving} />
      <AbsoluteFill style={{ transform: `scale(${mix(1, 0.86, leaving) * mix(1, 1.03, time.share)})`, opacity: 1 - leaving }}>
        <Sparks gather={gather} shock={shock} seconds={time.seconds} />
        <div style={{ ...centred(markX * settle, markY * settle, markSize, markSize), transform: `scale(${mix(1.25, 1, settle)})` }}>
          <Rings size={markSize} ring={ring} shock={shock} fade={during(at, 0.5, 0.7)} />
          <div style={{ position: "absolute", inset: 0, transform: `scale(${pop}) rotate(${mix(-50, 0, during(at, 0.36, 0.7, ease.outStrong))}deg)`, opacity: clamp(pop * 5) }}>
            <Mark size={markSize} sweep={sweep} turn={time.seconds * 14} />
          </div>
        </div>
        <div style={{ ...centred(textX, textY, textWidthNeeded, textHeight), textAlign: beside ? "left" : "center" }}>
          <Split
            lines={name.lines}
            by="letter"
            mask
            style={{ fontFamily: fonts.title, fontWeight: 700, fontSize: name.size, lineHeight: 1.05, letterSpacing: "-0.02em", color: colors.text }}
            part={({ index, count }) => {
              const shown = stagger(at, index, count, 0.66, 1.02, ease.outExpo, 0.6);
              return { transform: `translateY(${(1 - shown) * 115}%)` };
            }}
          />
          {subtitle ? (
            <Split
              lines={line.lines}
              by="word"
              style={{ marginTop: space, fontFamily: fonts.body, fontWeight: 400, fontSize: line.size, lineHeight: 1.35, color: alpha(colors.text, 0.74) }}
              part={({ index, count }) => {
                const shown = stagger(at, index, count, 0.86, 1.2, ease.out, 0.6);
                return { opacity: shown, transform: `translateX(${(1 - shown) * unit * 1.6}px)` };
              }}
            />
          ) : null}
        </div>
      </AbsoluteFill>
    </AbsoluteFill>
  );
}

/** A box whose centre is this far from the centre of the picture. */
function centred(x: number, y: number, width: number, height: number): CSSProperties {
  return { position: "absolute", left: `calc(50% + ${x - width / 2}px)`, top: `calc(50% + ${y - height / 2}px)`, width, height };
}

function Scene({ seconds, light, leaving }: { seconds: number; light: number; leaving: number }) {
  const { width, height } = useVideoConfig();
  const { unit } = layout(width, height);
  const long = Math.max(width, height);
  const glow = clamp(light) * (1 - leaving * 0.7);
  return (
    <Backdrop color={colors.background}>
      <Glow x={0.5} y={0.5} size={long * 1.3} color={alpha(colors.primary, 0.5)} opacity={0.16 + 0.84 * glow} />
      <Glow x={0.5 + 0.16 * Math.cos(seconds * 0.4)} y={0.62 + 0.1 * Math.sin(seconds * 0.5)} size={long * 0.7} color={alpha(colors.accent, 0.32)} opacity={glow} />
      <svg width={width} height={height} style={{ position: "absolute" }}>
        <g transform={`translate(${width / 2} ${height / 2}) rotate(${seconds * 3})`} opacity={0.5 * glow}>
          {Array.from({ length: 18 }, (_, ray) => {
            const angle = (ray / 18) * Math.PI * 2;
            const spread = 0.03 + 0.05 * chance("ray", ray);
            const reach = long * 0.8;
            const point = (turn: number) => `${Math.cos(turn) * reach},${Math.sin(turn) * reach}`;
            return <polygon key={ray} points={`0,0 ${point(angle - spread)} ${point(angle + spread)}`} fill={alpha(colors.text, 0.022 + 0.03 * chance("light", ray))} />;
          })}
        </g>
        {Array.from({ length: 30 }, (_, dot) => (
          <circle
            key={dot}
            cx={width * chance("dx", dot)}
            cy={height * ((chance("dy", dot) + 1 - ((seconds * 0.015 * (1 + (dot % 3))) % 1)) % 1)}
            r={unit * (0.08 + 0.12 * chance("dr", dot))}
            fill={dot % 3 ? colors.text : colors.accent}
            opacity={0.4 * glow}
          />
        ))}
      </svg>
      <Vignette opacity={0.5} />
      <Grain />
    </Backdrop>
  );
}

/** Specks that fall together into the middle and are thrown out again when the mark appears. */
function Sparks({ gather, shock, seconds }: { gather: number; shock: number; seconds: number }) {
  const { width, height } = useVideoConfig();
  const { unit } = layout(width, height);
  return (
    <svg width={width} height={height} style={{ position: "absolute" }}>
      {Array.from({ length: 56 }, (_, spark) => {
        const angle = chance("angle", spark) * Math.PI * 2 + (1 - gather) * 1.3 + seconds * 0.05;
        const inward = mix(26 + 46 * chance("far", spark), 0.5, clamp(gather * (1.05 + 0.25 * chance("early", spark))));
        const outward = shock * (34 + 52 * chance("thrown", spark));
        const radius = unit * (shock > 0 ? outward : inward);
        const size = unit * (0.35 + 0.65 * chance("size", spark));
        const light = shock > 0 ? (1 - shock) ** 1.5 : clamp(gather * 3) * 0.9;
        return (
          <circle
            key={spark}
            cx={width / 2 + Math.cos(angle) * radius}
            cy={height / 2 + Math.sin(angle) * radius}
            r={size * (shock > 0 ? 1 - shock * 0.6 : 1)}
            fill={spark % 3 === 0 ? colors.text : spark % 3 === 1 ? colors.accent : colors.primary}
            opacity={light}
          />
        );
      })}
    </svg>
  );
}

function Rings({ size, ring, shock, fade }: { size: number; ring: number; shock: number; fade: number }) {
  const box = size * 4;
  const turn = 2 * Math.PI * size * 0.62;
  return (
    <svg width={box} height={box} viewBox={`${-box / 2} ${-box / 2} ${box} ${box}`} style={{ position: "absolute", left: (size - box) / 2, top: (size - box) / 2 }}>
      <circle
        r={size * 0.62}
        fill="none"
        stroke={colors.accent}
        strokeWidth={size * 0.018}
        strokeLinecap="round"
        strokeDasharray={turn}
        strokeDashoffset={turn * (1 - ring)}
        transform="rotate(-90)"
        opacity={ring > 0 ? 1 - fade : 0}
      />
      <circle r={size * mix(0.4, 1.7, shock)} fill="none" stroke={colors.primary} strokeWidth={size * 0.09 * (1 - shock)} opacity={shock > 0 ? 1 - shock : 0} />
      <circle r={size * mix(0.4, 1.25, shock)} fill="none" stroke={colors.text} strokeWidth={size * 0.03 * (1 - shock)} opacity={shock > 0 ? 1 - shock : 0} />
    </svg>
  );
}
