import { AbsoluteFill, Html5Video, staticFile, useCurrentFrame, useVideoConfig } from "remotion";

/** A video in a tilted card, with a caption. */
export default function Video() {
  const frame = useCurrentFrame();
  const { fps } = useVideoConfig();
  return (
    <AbsoluteFill style={{ backgroundColor: "#12202b", alignItems: "center", justifyContent: "center", color: "#fff", fontFamily: "sans-serif" }}>
      <Html5Video src={staticFile("clip.mp4")} muted style={{ width: 1280, height: 720, borderRadius: 32, transform: `rotate(${Math.sin(frame / fps) * 3}deg)` }} />
      <div style={{ position: "absolute", bottom: 60, fontSize: 64 }}>Frame {frame}</div>
    </AbsoluteFill>
  );
}
