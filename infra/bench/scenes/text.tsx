import { AbsoluteFill, interpolate, useCurrentFrame, useVideoConfig } from "remotion";

const WORDS = "Every frame is a function of its number and nothing else".split(" ");

/** Words that rise one after the other over an SVG path that flows. */
export default function Text() {
  const frame = useCurrentFrame();
  const { width, height, fps } = useVideoConfig();
  const time = frame / fps;
  const wave = (offset: number) =>
    Array.from({ length: 97 }, (_, step) => {
      const x = (step / 96) * width;
      return `${step === 0 ? "M" : "L"}${x.toFixed(1)} ${(height * offset + Math.sin(x / 90 + time * 3 + offset * 9) * 46).toFixed(1)}`;
    }).join("");
  return (
    <AbsoluteFill style={{ backgroundColor: "#10131f", color: "#f4f6ff", fontFamily: "sans-serif" }}>
      <svg width={width} height={height} style={{ position: "absolute" }}>
        {[0.2, 0.35, 0.65, 0.8].map((offset) => (
          <path key={offset} d={wave(offset)} fill="none" stroke={`hsl(${offset * 360} 80% 60%)`} strokeWidth={6} />
        ))}
      </svg>
      <AbsoluteFill style={{ alignItems: "center", alignContent: "center", justifyContent: "center", flexDirection: "row", flexWrap: "wrap", gap: 28, padding: 140 }}>
        {WORDS.map((word, index) => {
          const at = interpolate(frame, [index * 3, index * 3 + 20], [0, 1], { extrapolateLeft: "clamp", extrapolateRight: "clamp" });
          return (
            <span key={index} style={{ fontSize: 96, fontWeight: 700, opacity: at, transform: `translateY(${(1 - at) * 60}px) rotate(${(1 - at) * 8}deg)` }}>
              {word}
            </span>
          );
        })}
      </AbsoluteFill>
    </AbsoluteFill>
  );
}
