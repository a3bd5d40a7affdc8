import { useLayoutEffect, useRef } from "react";
import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";

const DOTS = 400;

/** A canvas that a script draws, below words. */
export default function Canvas() {
  const frame = useCurrentFrame();
  const { width, height, fps } = useVideoConfig();
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.clearRect(0, 0, width, height);
    for (let dot = 0; dot < DOTS; dot++) {
      const angle = dot * 0.7 + (frame / fps) * 0.6;
      context.fillStyle = `hsl(${(dot * 7 + frame * 3) % 360} 80% 60%)`;
      context.beginPath();
      context.arc(width / 2 + Math.cos(angle) * dot * 1.8, height / 2 + Math.sin(angle) * dot, 6, 0, 7);
      context.fill();
    }
  }, [frame, width, height, fps]);
  return (
    <AbsoluteFill style={{ backgroundColor: "#10131f", color: "#f4f6ff", fontFamily: "sans-serif" }}>
      <canvas ref={canvas} width={width} height={height} style={{ position: "absolute", inset: 0 }} />
      <AbsoluteFill style={{ alignItems: "center", justifyContent: "center", fontSize: 120, fontWeight: 700, transform: `rotate(${Math.sin(frame / fps) * 6}deg)` }}>Four hundred dots</AbsoluteFill>
    </AbsoluteFill>
  );
}
