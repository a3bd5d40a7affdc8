import { useMemo } from "react";
import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";
import { design as given } from "./design";
import { Backdrop, Glow, Grain, Vignette } from "./koda/backdrop";
import type { Design } from "./koda/design";
import { alpha, blend, chance, clamp, during, ease, layout, mix, stagger, timeline } from "./koda/motion";
import { Split, useFittedText } from "./koda/text";
import { scatter, type Speck } from "./specks";

const design: Design = given;
const { title, subtitle, colors, fonts } = design;

/** A cloud of specks circles, falls into the shape of the title, lights it up, and blows away. */
export default function Composition() {
  const frame = useCurrentFrame();
  const { fps, durationInFrames, width, height } = useVideoConfig();
  const time = timeline(frame, fps, durationInFrames, 3.4, 1.1);
  const { unit, inner, portrait } = layout(width, height);
  const at = time.seconds / time.entered;
  const speed = design.speed ?? 1;

  const heading = useFittedText(title, {
    family: fonts.title,
    weight: 700,
    width: inner.width * 0.98,
    height: inner.height * (subtitle ? 0.5 : 0.6),
    max: unit * (portrait ? 20 : 25),
    lineHeight: 1.06,
    letterSpacing: -0.01,
    maxLines: portrait ? 5 : 3,
  });
  const small = useFittedText(subtitle, { family: fonts.body, weight: 400, width: inner.width * 0.86, height: unit * 14, max: unit * 4.2, lineHeight: 1.35, maxLines: 3 });
  const headHeight = heading.lines.length * heading.size * 1.06;
  const block = headHeight + (subtitle ? unit * 3.2 + small.lines.length * small.size * 1.35 : 0);
  const top = (height - block) / 2;

  const specks = useMemo(
    () => scatter({ lines: heading.lines, size: heading.size, lineHeight: 1.06, family: fonts.title, weight: 700, letterSpacing: -0.01, width, top }),
    [heading, width, top],
  );
  const groups = useMemo(() => group(specks), [specks]);

  const form = (order: number) => during(at, 0.16 + 0.34 * order, 0.58 + 0.34 * order, ease.inOutStrong);
  const lit = during(at, 0.78, 1.08, ease.inOut);
  const gone = during(time.seconds, time.leaves, time.duration, ease.in);

  return (
    <AbsoluteFill>
      <Space seconds={time.seconds * speed} share={time.share} lit={lit * (1 - gone)} />
      <svg width={width} height={height} style={{ position: "absolute" }}>
        {groups.map(({ color, radius, members }) => (
          <path
            key={`${color}/${radius}`}
            d={members
              .map((speck) => {
                const { x, y } = place(speck, form(speck.order), gone, time.seconds * speed, { width, height, unit });
                return `M${x.toFixed(1)},${y.toFixed(1)}h0`;
              })
              .join("")}
            stroke={tint[color]}
            strokeWidth={unit * radius * mix(1, 0.72, lit)}
            strokeLinecap="round"
            fill="none"
            opacity={clamp(at * 3.2) * mix(0.95, 0.5, lit) * (1 - gone ** 2)}
          />
        ))}
      </svg>
      <div style={{ position: "absolute", left: 0, width, top, textAlign: "center", transform: `scale(${mix(1, 1.02, time.share)})`, transformOrigin: "50% 50%" }}>
        <Split
          lines={heading.lines}
          by="line"
          style={{ fontFamily: fonts.title, fontWeight: 700, fontSize: heading.size, lineHeight: 1.06, letterSpacing: "-0.01em", color: colors.text }}
          part={() => ({ opacity: lit * (1 - during(gone, 0, 0.35)) })}
        />
        {subtitle ? (
          <Split
            lines={small.lines}
            by="letter"
            style={{ marginTop: unit * 3.2, fontFamily: fonts.body, fontWeight: 400, fontSize: small.size, lineHeight: 1.35, color: alpha(colors.text, 0.78), letterSpacing: "0.01em" }}
            part={({ index, count }) => {
              const shown = stagger(at, index, count, 0.92, 1.4, ease.out, 0.45);
              return { opacity: shown * (1 - during(gone, 0, 0.3)), transform: `translateY(${(1 - shown) * 40 * (chance("rise", index) - 0.3)}px)` };
            }}
          />
        ) : null}
      </div>
    </AbsoluteFill>
  );
}

const tint = [colors.primary, colors.accent, blend(colors.primary, colors.text, 0.55), colors.text];

interface Group {
  color: number;
  radius: number;
  members: Speck[];
}

/** Specks of one colour and size are one path: hundreds of them cost a dozen elements. */
function group(specks: Speck[]): Group[] {
  const groups = new Map<string, Group>();
  for (const speck of specks) {
    const id = `${speck.color}/${speck.radius}`;
    const found = groups.get(id) ?? { color: speck.color, radius: speck.radius, members: [] };
    found.members.push(speck);
    groups.set(id, found);
  }
  return [...groups.values()];
}

/** On its orbit, on its way, in its place in a letter, or blown off: a speck at this moment. */
function place(speck: Speck, formed: number, gone: number, seconds: number, { width, height, unit }: { width: number; height: number; unit: number }) {
  const angle = speck.angle + seconds * (0.18 + 0.25 * speck.pace) + formed * 1.6;
  const wobble = 1 + 0.12 * Math.sin(seconds * 0.9 + speck.angle * 5);
  const orbitX = width / 2 + Math.cos(angle) * width * speck.orbit * wobble;
  const orbitY = height / 2 + Math.sin(angle) * height * speck.orbit * 0.86 * wobble + Math.sin(angle * 2 + speck.pace * 6) * unit * 5;
  const shiver = unit * 0.1;
  const homeX = speck.x + Math.sin(seconds * 2.2 + speck.angle * 9) * shiver;
  const homeY = speck.y + Math.cos(seconds * 2 + speck.angle * 7) * shiver;
  const x = mix(orbitX, homeX, formed);
  const y = mix(orbitY, homeY, formed);
  const blown = Math.max(0, gone * 1.5 - 0.5 * (speck.x / width));
  return {
    x: x + blown * unit * (26 + 50 * speck.pace),
    y: y - blown * unit * (6 + 26 * speck.pace) + Math.sin(speck.angle * 4 + blown * 6) * unit * 4 * blown,
  };
}

/** Slow light and three depths of dust. */
function Space({ seconds, share, lit }: { seconds: number; share: number; lit: number }) {
  const { width, height } = useVideoConfig();
  const { unit } = layout(width, height);
  const long = Math.max(width, height);
  return (
    <Backdrop color={colors.background}>
      <Glow x={0.3 + 0.2 * share} y={0.35} size={long * 1.1} color={alpha(colors.primary, 0.3)} />
      <Glow x={0.72 - 0.15 * share} y={0.7} size={long * 0.9} color={alpha(colors.accent, 0.18)} />
      <Glow x={0.5} y={0.5} size={long * 0.95} color={alpha(colors.primary, 0.35)} opacity={lit} />
      <svg width={width} height={height} style={{ position: "absolute" }}>
        {[1, 2, 3].map((depth) => (
          <path
            key={depth}
            d={Array.from({ length: 40 }, (_, index) => {
              const x = (((chance("sx", depth, index) + seconds * 0.004 * depth) % 1) * 1.04 - 0.02) * width;
              const y = chance("sy", depth, index) * height;
              return `M${x.toFixed(1)},${y.toFixed(1)}h0`;
            }).join("")}
            stroke={depth === 3 ? colors.accent : colors.text}
            strokeWidth={unit * 0.13 * depth}
            strokeLinecap="round"
            opacity={0.12 + 0.1 * depth}
          />
        ))}
      </svg>
      <Vignette opacity={0.5} />
      <Grain />
    </Backdrop>
  );
}

