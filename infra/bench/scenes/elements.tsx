import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";

/** Six hundred elements, each with a transform of its own. */
export default function Elements() {
  const frame = useCurrentFrame();
  const { width, height, fps } = useVideoConfig();
  const time = frame / fps;
  return (
    <AbsoluteFill style={{ backgroundColor: "#f5f1ea" }}>
      {Array.from({ length: 600 }, (_, index) => {
        const [column, row] = [index % 30, Math.floor(index / 30)];
        const phase = time * 4 - (column + row) * 0.25;
        return (
          <div
            key={index}
            style={{
              position: "absolute",
              left: ((column + 0.5) * width) / 30 - 18,
              top: ((row + 0.5) * height) / 20 - 18,
              width: 36,
              height: 36,
              borderRadius: 8,
              backgroundColor: `hsl(${(column * 12 + row * 6 + frame * 2) % 360} 70% 55%)`,
              transform: `translateY(${Math.sin(phase) * 14}px) rotate(${phase * 30}deg) scale(${0.7 + 0.3 * Math.cos(phase)})`,
            }}
          />
        );
      })}
    </AbsoluteFill>
  );
}
