import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";
import { design as given } from "./design";
import { Backdrop, Glow, Grain, Vignette } from "./koda/backdrop";
import type { Design } from "./koda/design";
import { alpha, chance, during, ease, layout, mix, stagger, timeline } from "./koda/motion";
import { Split, useFittedText } from "./koda/text";

const design: Design = given;
const { title, subtitle, colors, fonts } = design;

/** A title that rises word by word out of a drifting field of colour, with a subtitle under a line that draws itself. */
export default function Composition() {
  const frame = useCurrentFrame();
  const { fps, durationInFrames, width, height } = useVideoConfig();
  const time = timeline(frame, fps, durationInFrames, 2.2, 0.8);
  const { unit, inner, portrait } = layout(width, height);
  const leaving = time.out(ease.inStrong);
  const heading = useFittedText(title, {
    family: fonts.title,
    weight: 700,
    width: inner.width * (portrait ? 1 : 0.86),
    height: inner.height * (subtitle ? 0.5 : 0.62),
    max: unit * (portrait ? 17 : 19),
    lineHeight: 1.06,
    letterSpacing: -0.03,
    maxLines: portrait ? 5 : 3,
  });
  const small = useFittedText(subtitle, {
    family: fonts.body,
    weight: 400,
    width: inner.width * 0.86,
    height: inner.height * 0.16,
    max: unit * 4.4,
    lineHeight: 1.35,
    maxLines: 3,
  });
  const lastLine = heading.lines.length - 1;

  return (
    <AbsoluteFill>
      <Field share={time.share} seconds={time.seconds} enter={time.in(ease.out)} leaving={leaving} />
      <AbsoluteFill
        style={{
          alignItems: "center",
          justifyContent: "center",
          textAlign: "center",
          transform: `translateY(${-unit * 6 * leaving}px) scale(${mix(1, 1.035, time.share)})`,
          opacity: 1 - leaving,
        }}
      >
        <Split
          lines={heading.lines}
          by="word"
          mask
          style={{
            fontFamily: fonts.title,
            fontWeight: 700,
            fontSize: heading.size,
            lineHeight: 1.06,
            letterSpacing: "-0.03em",
            color: colors.text,
          }}
          part={({ index, count, line }) => {
            const arrive = stagger(time.seconds, index, count, time.entered * 0.08, time.entered * 0.8, ease.outExpo, 0.62);
            // One word alone is all there is to read: it has the colour of words.
            const bright = count > 1 && line === lastLine && (heading.lines.length > 1 || index === count - 1);
            return {
              transform: `translateY(${(1 - arrive) * 118}%) rotate(${(1 - arrive) * 5}deg)`,
              transformOrigin: "0% 100%",
              ...(bright
                ? {
                    backgroundImage: `linear-gradient(100deg, ${colors.primary} ${mix(-40, 0, time.share)}%, ${colors.accent} ${mix(70, 110, time.share)}%)`,
                    backgroundClip: "text",
                    WebkitTextFillColor: "transparent",
                    paddingBottom: "0.14em",
                    marginBottom: "-0.14em",
                  }
                : {}),
            };
          }}
        />
        {subtitle ? (
          <>
            <div
              style={{
                width: unit * 16,
                height: Math.max(2, unit * 0.36),
                borderRadius: unit,
                margin: `${unit * 4.4}px 0 ${unit * 3.6}px`,
                backgroundImage: `linear-gradient(90deg, ${colors.primary}, ${colors.accent})`,
                transform: `scaleX(${during(time.seconds, time.entered * 0.45, time.entered * 0.95, ease.inOutStrong)})`,
              }}
            />
            <Split
              lines={small.lines}
              by="word"
              style={{ fontFamily: fonts.body, fontWeight: 400, fontSize: small.size, lineHeight: 1.35, color: alpha(colors.text, 0.78), letterSpacing: "0.01em" }}
              part={({ index, count }) => {
                const arrive = stagger(time.seconds, index, count, time.entered * 0.5, time.entered, ease.out, 0.6);
                return { opacity: arrive, transform: `translateY(${(1 - arrive) * 60}%)` };
              }}
            />
          </>
        ) : null}
      </AbsoluteFill>
    </AbsoluteFill>
  );
}

interface FieldProps {
  share: number;
  seconds: number;
  enter: number;
  leaving: number;
}

/** Two lights that drift around each other, fine rings, and dust at three depths. */
function Field({ share, seconds, enter, leaving }: FieldProps) {
  const { width, height } = useVideoConfig();
  const { unit } = layout(width, height);
  const speed = design.speed ?? 1;
  const angle = seconds * 0.32 * speed;
  const long = Math.max(width, height);
  const ring = (size: number, shift: number, opacity: number) => (
    <circle
      cx={width / 2}
      cy={height / 2}
      r={unit * size * mix(0.86, 1.04, enter) + unit * 3 * share}
      fill="none"
      stroke={alpha(colors.text, opacity * enter)}
      strokeWidth={Math.max(1, unit * 0.12)}
      strokeDasharray={`${unit * size * 1.9} ${unit * size * 0.62}`}
      strokeDashoffset={unit * size * (angle * 0.6 + shift)}
    />
  );
  return (
    <Backdrop color={colors.background}>
      <AbsoluteFill style={{ opacity: mix(0.35, 1, enter) * (1 - leaving * 0.6) }}>
        <Glow x={0.5 + 0.3 * Math.cos(angle)} y={0.5 + 0.26 * Math.sin(angle * 1.3)} size={long * 1.15} color={alpha(colors.primary, 0.5)} />
        <Glow x={0.5 - 0.32 * Math.cos(angle * 0.9)} y={0.52 - 0.3 * Math.sin(angle)} size={long * 0.95} color={alpha(colors.accent, 0.34)} />
      </AbsoluteFill>
      <svg width={width} height={height} style={{ position: "absolute" }}>
        {ring(47, 0, 0.2)}
        {ring(62, 1.1, 0.13)}
        {ring(80, 2.3, 0.09)}
        {Array.from({ length: 46 }, (_, index) => {
          const depth = 1 + (index % 3);
          const rise = (chance("y", index) + seconds * 0.012 * depth * speed) % 1;
          return (
            <circle
              key={index}
              cx={chance("x", index) * width + Math.sin(seconds * 0.5 + index) * unit}
              cy={(1 - rise) * height * 1.1 - height * 0.05}
              r={unit * 0.09 * depth}
              fill={index % 4 === 0 ? colors.accent : colors.text}
              opacity={(0.16 + 0.14 * depth) * enter * (1 - leaving) * Math.sin(rise * Math.PI)}
            />
          );
        })}
      </svg>
      <Vignette opacity={0.4} />
      <Grain />
    </Backdrop>
  );
}
