import { useEffect, useState } from "react";
import { AbsoluteFill, continueRender, delayRender, Easing, Freeze, Img, interpolate, interpolateColors, Loop, OffthreadVideo, random, Sequence, Series, spring, staticFile, useCurrentFrame, useVideoConfig } from "remotion";

const tile = { position: "absolute", width: 560, height: 420, borderRadius: 24, overflow: "hidden", background: "#1d2530", color: "#fff", fontFamily: "sans-serif", fontSize: 90, display: "flex", alignItems: "center", justifyContent: "center" } as const;
const at = (column: number, row: number) => ({ ...tile, left: 60 + column * 620, top: 90 + row * 480 });

function Count({ word }: { word: string }) {
  const frame = useCurrentFrame();
  const { durationInFrames } = useVideoConfig();
  return <span style={{ transform: `rotate(${interpolate(frame, [0, durationInFrames], [-8, 8], { easing: Easing.bezier(0.3, 0, 0.2, 1) })}deg)` }}>{`${word} ${frame}`}</span>;
}

/** A picture that is waited for, and one that shows itself when it has been read. */
function Waited() {
  const [size, setSize] = useState(0);
  const [handle] = useState(() => delayRender("a picture"));
  useEffect(() => {
    fetch(staticFile("picture-1.jpg"))
      .then((answer) => answer.arrayBuffer())
      .then((bytes) => {
        setSize(bytes.byteLength);
        continueRender(handle);
      });
  }, [handle]);
  return (
    <>
      <Img src={staticFile("picture-0.jpg")} style={{ width: 260, height: 420, objectFit: "cover" }} />
      <span style={{ fontSize: 44 }}>{size}</span>
    </>
  );
}

/** What Remotion has of its own for time, chance and files, each in a tile. */
export default function Features() {
  const frame = useCurrentFrame();
  const { fps } = useVideoConfig();
  const grown = spring({ frame: frame - 20, fps, config: { damping: 9 } });
  return (
    <AbsoluteFill style={{ background: interpolateColors(frame, [0, 89], ["#0b1016", "#23402f"]) }}>
      <div style={at(0, 0)}>
        <Sequence from={15} durationInFrames={50} layout="none">
          <Count word="from 15" />
        </Sequence>
      </div>
      <div style={at(1, 0)}>
        <Series>
          <Series.Sequence durationInFrames={30} layout="none"><Count word="one" /></Series.Sequence>
          <Series.Sequence durationInFrames={60} offset={-5} layout="none"><Count word="two" /></Series.Sequence>
        </Series>
      </div>
      <div style={at(2, 0)}>
        <Loop durationInFrames={20} layout="none"><Count word="loop" /></Loop>
        <Freeze frame={7}><Count word="still" /></Freeze>
      </div>
      <div style={at(0, 1)}>
        <div style={{ width: 300 * grown, height: 300 * grown, background: "#7c5cff", transform: `rotate(${grown}turn)` }} />
        {Array.from({ length: 40 }, (_, index) => (
          <div key={index} style={{ position: "absolute", left: random(`x${index}`) * 540, top: random(`y${index}-${Math.floor(frame / 3)}`) * 400, width: 14, height: 14, background: "#22d3ee" }} />
        ))}
      </div>
      <div style={at(1, 1)}><Waited /></div>
      <div style={at(2, 1)}>
        <Sequence from={10} layout="none">
          <OffthreadVideo src={staticFile("clip.mp4")} trimBefore={30} playbackRate={0.5} muted style={{ width: 560, height: 420, objectFit: "cover" }} />
        </Sequence>
      </div>
    </AbsoluteFill>
  );
}
