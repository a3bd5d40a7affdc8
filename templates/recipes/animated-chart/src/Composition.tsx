import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";
import { Bars } from "./Bars";
import { design as given } from "./design";
import { Backdrop, Glow, Grain, Vignette } from "./koda/backdrop";
import type { Design } from "./koda/design";
import { alpha, during, ease, layout, stagger, timeline } from "./koda/motion";
import { Split, useFittedText } from "./koda/text";
import { Line } from "./Line";
import { plot } from "./plot";

const design: Design = given;
const { title, subtitle, colors, fonts } = design;

/** Numbers grow out of a grid that draws itself: as columns, as rows where the picture is tall, or as a line. */
export default function Composition() {
  const frame = useCurrentFrame();
  const { fps, durationInFrames, width, height } = useVideoConfig();
  const time = timeline(frame, fps, durationInFrames, 3, 0.8);
  const { unit, inner, margin, portrait } = layout(width, height);
  const at = time.seconds / time.entered;
  const leaving = time.out(ease.inStrong);
  const data = design.data ?? [];

  const heading = useFittedText(title, {
    family: fonts.title,
    weight: 700,
    width: inner.width,
    height: inner.height * (data.length > 0 ? (portrait ? 0.14 : 0.16) : 0.5),
    max: unit * (data.length > 0 ? (portrait ? 9 : 8.4) : 16),
    lineHeight: 1.08,
    letterSpacing: -0.025,
    maxLines: 2,
  });
  const small = useFittedText(subtitle, { family: fonts.body, weight: 400, width: inner.width * 0.9, height: unit * 9, max: unit * 3.5, lineHeight: 1.35, maxLines: 2 });
  const headHeight = heading.lines.length * heading.size * 1.08 + (subtitle ? unit * 1.6 + small.lines.length * small.size * 1.35 : 0);
  const top = margin + headHeight + unit * (portrait ? 9 : 6);
  const area = { x: margin, y: top, width: inner.width, height: height - margin - top };
  const chart = plot(data, area, unit, { rows: portrait && design.style !== "line", line: design.style === "line", prefix: design.prefix ?? "", suffix: design.suffix ?? "" });
  const Chart = design.style === "line" ? Line : Bars;

  return (
    <AbsoluteFill>
      <Backdrop color={colors.background}>
        <Glow x={0.12 + 0.1 * time.share} y={0.05} size={Math.max(width, height) * 1.1} color={alpha(colors.primary, 0.28)} />
        <Glow x={0.95} y={1 - 0.1 * time.share} size={Math.max(width, height) * 0.9} color={alpha(colors.accent, 0.16)} />
        <Vignette opacity={0.3} />
        <Grain />
      </Backdrop>
      <AbsoluteFill style={{ opacity: 1 - leaving, transform: `translateY(${-unit * 3 * leaving}px)` }}>
        <div
          style={{
            position: "absolute",
            left: margin,
            top: data.length > 0 ? margin : (height - headHeight) / 2,
            width: inner.width,
            textAlign: data.length > 0 ? "left" : "center",
          }}
        >
          <Split
            lines={heading.lines}
            by="word"
            mask
            style={{ fontFamily: fonts.title, fontWeight: 700, fontSize: heading.size, lineHeight: 1.08, letterSpacing: "-0.025em", color: colors.text }}
            part={({ index, count }) => ({ transform: `translateY(${(1 - stagger(at, index, count, 0.02, 0.36, ease.outExpo, 0.7)) * 115}%)` })}
          />
          {subtitle ? (
            <div
              style={{
                marginTop: unit * 1.6,
                fontFamily: fonts.body,
                fontSize: small.size,
                lineHeight: 1.35,
                color: alpha(colors.text, 0.68),
                opacity: during(at, 0.22, 0.44),
                transform: `translateY(${(1 - during(at, 0.22, 0.5, ease.out)) * unit * 2}px)`,
              }}
            >
              {small.lines.map((line) => (
                <div key={line}>{line}</div>
              ))}
            </div>
          ) : null}
        </div>
        {data.length > 0 ? <Chart chart={chart} at={at} seconds={time.seconds} leaving={leaving} /> : null}
      </AbsoluteFill>
    </AbsoluteFill>
  );
}
