import { AbsoluteFill, Sequence, useCurrentFrame, useVideoConfig } from "remotion";
import { design as given } from "./design";
import { Backdrop, Grain } from "./koda/backdrop";
import type { Design } from "./koda/design";
import { blend, luminance, readable } from "./koda/motion";
import { transparent } from "./koda/environment";
import { cut, type Phrase } from "./phrases";
import { Card } from "./Card";

const design: Design = given;
const { colors } = design;

/** Ground and ink of the cards in turn: the design's own colours, each with letters that can be read on it. */
const dark = luminance(colors.background) < 0.55;
const grounds = [colors.background, colors.primary, blend(colors.background, dark ? "#ffffff" : "#000000", 0.05), colors.accent, colors.text];

function pair(index: number): { ground: string; ink: string; echo: string } {
  const ground = grounds[index % grounds.length] ?? colors.background;
  const ink = ground === colors.text ? colors.background : readable(ground, dark ? colors.text : "#ffffff", dark ? "#0b0d12" : colors.text);
  const echo = ground === colors.primary ? colors.accent : colors.primary;
  return { ground, ink, echo };
}

/** Phrases fill the picture one after the other, each with its own colours and its own way to arrive, cut to a beat. */
export default function Composition() {
  const { durationInFrames, fps } = useVideoConfig();
  const frame = useCurrentFrame();
  const phrases = cut(design, durationInFrames, fps);
  const now = phrases.findLastIndex((phrase) => frame >= phrase.from);
  return (
    <AbsoluteFill>
      <Backdrop color={colors.background} />
      {phrases.map((phrase: Phrase, index) => {
        // A card stays under the next one until that has covered it.
        const under = phrases[index + 1];
        const length = under ? under.from + under.cover - phrase.from : durationInFrames - phrase.from;
        if (transparent && index !== now) return null;
        return (
          <Sequence key={index} from={phrase.from} durationInFrames={length} layout="none">
            <Card phrase={phrase} index={index} last={!under} {...pair(index)} />
          </Sequence>
        );
      })}
      {transparent ? null : <Grain opacity={0.03} />}
    </AbsoluteFill>
  );
}
