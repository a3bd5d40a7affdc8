import { AbsoluteFill, Img, staticFile, useCurrentFrame, useVideoConfig } from "remotion";

/** Large pictures that pan and zoom, one crossing over into the next. */
export default function Images() {
  const frame = useCurrentFrame();
  const { durationInFrames } = useVideoConfig();
  const share = frame / durationInFrames;
  return (
    <AbsoluteFill style={{ backgroundColor: "#000" }}>
      {[0, 1, 2].map((index) => {
        const opacity = Math.max(0, Math.min(1, 1.5 - Math.abs(share * 2 - index) * 2));
        if (opacity === 0) return null;
        return (
          <AbsoluteFill key={index} style={{ opacity }}>
            <Img
              src={staticFile(`picture-${index}.jpg`)}
              style={{ width: "100%", height: "100%", objectFit: "cover", transform: `scale(${1.1 + share * 0.3}) translate(${(share - 0.5) * 60}px, ${index * 8}px)` }}
            />
          </AbsoluteFill>
        );
      })}
    </AbsoluteFill>
  );
}
