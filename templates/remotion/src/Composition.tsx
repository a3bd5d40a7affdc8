import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";
import { design } from "./design";

/** Stands in until there is an animation: three dots that breathe once around in the length of the composition. */
export default function Composition() {
  const frame = useCurrentFrame();
  const { durationInFrames, width, height } = useVideoConfig();
  const turn = (frame / durationInFrames) * Math.PI * 2;
  const unit = Math.min(width, height) / 100;
  const { colors, fonts, title } = design;
  return (
    <AbsoluteFill
      style={{
        backgroundImage: `radial-gradient(circle at ${50 + 8 * Math.cos(turn)}% ${46 + 6 * Math.sin(turn)}%, ${colors.primary}33, ${colors.background} 60%)`,
        backgroundColor: colors.background,
        alignItems: "center",
        justifyContent: "center",
        gap: unit * 5,
      }}
    >
      <div style={{ display: "flex", gap: unit * 2.4 }}>
        {[0, 1, 2].map((dot) => {
          const wave = (1 + Math.sin(turn * 3 - dot * 0.9)) / 2;
          return (
            <div
              key={dot}
              style={{
                width: unit * 2.6,
                height: unit * 2.6,
                borderRadius: "50%",
                background: dot === 1 ? colors.accent : colors.primary,
                opacity: 0.3 + 0.7 * wave,
                transform: `translateY(${-unit * 1.6 * wave}px) scale(${0.85 + 0.3 * wave})`,
              }}
            />
          );
        })}
      </div>
      <div style={{ fontFamily: fonts.title, fontWeight: 500, fontSize: unit * 4.2, color: colors.text, opacity: 0.82, letterSpacing: "-0.01em" }}>
        {title}
      </div>
    </AbsoluteFill>
  );
}
