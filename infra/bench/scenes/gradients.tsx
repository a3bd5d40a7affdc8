import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";

/** Rounded boxes with gradients and soft shadows that circle over a gradient. */
export default function Gradients() {
  const frame = useCurrentFrame();
  const { width, height, fps } = useVideoConfig();
  const time = frame / fps;
  const side = width / 14;
  return (
    <AbsoluteFill style={{ backgroundImage: "linear-gradient(135deg, #1b1464, #833471)" }}>
      {Array.from({ length: 24 }, (_, index) => {
        const angle = time * 1.5 + (index * Math.PI * 2) / 24;
        const [x, y] = [width / 2 + Math.cos(angle) * width * 0.35 - side / 2, height / 2 + Math.sin(angle) * height * 0.35 - side / 2];
        return (
          <div
            key={index}
            style={{
              position: "absolute",
              width: side,
              height: side,
              borderRadius: 36,
              boxShadow: "0 15px 60px rgba(0, 0, 0, 0.5)",
              backgroundImage: `linear-gradient(${index * 15}deg, hsl(${index * 15} 80% 60%), hsl(${index * 15 + 60} 80% 50%))`,
              transform: `translate(${x}px, ${y}px) rotate(${time * 90 + index * 10}deg)`,
            }}
          />
        );
      })}
    </AbsoluteFill>
  );
}
