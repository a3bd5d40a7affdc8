import type { CSSProperties } from "react";
import { AbsoluteFill, useCurrentFrame, useVideoConfig } from "remotion";
import { design as given } from "./design";
import type { Design } from "./koda/design";
import { transparent } from "./koda/environment";
import { alpha, clamp, during, ease, layout, mix, stagger } from "./koda/motion";
import { Split, useFittedText, type Part } from "./koda/text";
import type { Phrase } from "./phrases";

const design: Design = given;
const { fonts } = design;

interface CardProps {
  phrase: Phrase;
  index: number;
  last: boolean;
  ground: string;
  ink: string;
  echo: string;
}

/** One phrase on its own ground, which wipes over the card before. */
export function Card({ phrase, index, last, ground, ink, echo }: CardProps) {
  const frame = useCurrentFrame();
  const { fps, width, height } = useVideoConfig();
  const { inner, portrait, unit } = layout(width, height);
  const cover = phrase.cover > 0 ? during(frame, 0, phrase.cover, ease.inOutStrong) : 1;
  // Letters start while the ground still moves, so that the cut has no dead moment.
  const start = phrase.cover * 0.45;
  const arrive = Math.min(phrase.length * 0.5, fps * 0.75);
  const end = last ? during(frame, phrase.length - Math.min(fps * 0.55, phrase.length * 0.25), phrase.length - 1, ease.inStrong) : 0;
  const push = last ? 0 : during(frame, phrase.length, phrase.length * 1.35, ease.in);
  const weight = 700;
  const caps = index % 4 === 2 && phrase.text.length < 16;
  const text = caps ? phrase.text.toUpperCase() : phrase.text;
  const fitted = useFittedText(text, {
    family: fonts.title,
    weight,
    width: inner.width,
    height: inner.height * (phrase.note ? 0.62 : portrait ? 0.7 : 0.86),
    max: unit * (portrait ? 30 : 40),
    lineHeight: 0.98,
    letterSpacing: -0.035,
    maxLines: portrait ? 5 : 3,
  });
  const note = useFittedText(phrase.note, { family: fonts.body, weight: 500, width: inner.width * 0.84, height: inner.height * 0.16, max: unit * 4.6, lineHeight: 1.3, maxLines: 3 });
  const way = ways[index % ways.length] ?? rise;
  const drift = frame / Math.max(1, phrase.length);

  return (
    <AbsoluteFill style={{ clipPath: wipe(index, cover), overflow: "hidden" }}>
      {transparent ? null : <AbsoluteFill style={{ backgroundColor: ground }} />}
      {transparent ? null : <Decoration kind={index % 3} text={text} color={echo} ink={ink} progress={drift} arrive={during(frame, start, start + arrive * 1.4, ease.out)} />}
      <AbsoluteFill
        style={{
          alignItems: "center",
          justifyContent: "center",
          textAlign: "center",
          transform: `translateY(${-push * unit * 5}px) scale(${mix(1, 1.05, clamp(drift)) * mix(1, 0.94, end)})`,
          opacity: 1 - end,
        }}
      >
        <Split
          lines={fitted.lines}
          by={way.by}
          mask={way.mask}
          style={{ fontFamily: fonts.title, fontWeight: weight, fontSize: fitted.size, lineHeight: 0.98, letterSpacing: "-0.035em", color: ink }}
          part={(part) => way.style(stagger(frame, part.index, part.count, start, start + arrive, way.easing, way.share), part)}
        />
        {phrase.note ? (
          <Split
            lines={note.lines}
            by="word"
            style={{ marginTop: unit * 4, fontFamily: fonts.body, fontWeight: 500, fontSize: note.size, lineHeight: 1.3, color: alpha(ink, 0.82) }}
            part={({ index: word, count }) => {
              const shown = stagger(frame, word, count, start + arrive * 0.6, start + arrive * 1.35, ease.out, 0.6);
              return { opacity: shown, transform: `translateY(${(1 - shown) * 70}%)` };
            }}
          />
        ) : null}
      </AbsoluteFill>
    </AbsoluteFill>
  );
}

/** How a card covers the one before: up, in from a side, or out of the middle. */
function wipe(index: number, cover: number): string | undefined {
  if (cover >= 1) return undefined;
  const rest = (1 - cover) * 100;
  switch (index % 4) {
    case 1:
      return `inset(${rest}% 0 0 0)`;
    case 2:
      return `polygon(0 0, ${cover * 128}% 0, ${cover * 128 - 28}% 100%, 0 100%)`;
    case 3:
      // Per cent of the picture's diagonal over the square root of two: 71 reaches the corners.
      return `circle(${cover * 72}% at 50% 50%)`;
    default:
      return `inset(0 0 0 ${rest}%)`;
  }
}

interface Way {
  by: "word" | "letter";
  mask: boolean;
  easing: (t: number) => number;
  /** How much of the time one part takes; less means more one after the other. */
  share: number;
  style: (shown: number, part: Part) => CSSProperties;
}

const rise: Way = {
  by: "letter",
  mask: true,
  easing: ease.outExpo,
  share: 0.62,
  style: (shown) => ({ transform: `translateY(${(1 - shown) * 112}%)` }),
};

const slam: Way = {
  by: "word",
  mask: false,
  easing: ease.outExpo,
  share: 0.6,
  style: (shown) => ({ opacity: clamp(shown * 2.4), transform: `scale(${mix(1.9, 1, shown)})`, filter: shown > 0.97 ? "none" : `blur(${(1 - shown) * 0.09}em)` }),
};

const bounce: Way = {
  by: "letter",
  mask: false,
  easing: ease.outSpring,
  share: 0.55,
  style: (shown, { index }) => ({
    opacity: clamp(shown * 4),
    transform: `translateY(${(1 - shown) * (index % 2 ? 0.9 : -0.9)}em) rotate(${(1 - shown) * (index % 2 ? 22 : -22)}deg)`,
  }),
};

const flip: Way = {
  by: "word",
  mask: false,
  easing: ease.outBack,
  share: 0.55,
  style: (shown) => ({ opacity: clamp(shown * 3), transform: `perspective(8em) rotateX(${(1 - shown) * -96}deg)`, transformOrigin: "50% 100%" }),
};

const ways: Way[] = [rise, slam, bounce, flip];

interface DecorationProps {
  kind: number;
  text: string;
  color: string;
  ink: string;
  progress: number;
  arrive: number;
}

/** What moves behind the words: rows of their outline, discs, or stripes. */
function Decoration({ kind, text, color, ink, progress, arrive }: DecorationProps) {
  const { width, height } = useVideoConfig();
  const { unit } = layout(width, height);
  if (kind === 0) {
    const size = unit * 21;
    const rows = Math.ceil(height / size) + 1;
    return (
      <AbsoluteFill aria-hidden style={{ opacity: 0.13 * arrive, overflow: "hidden" }}>
        <svg width={width} height={height}>
          {Array.from({ length: rows }, (_, row) => (
            <text
              key={row}
              x={-unit * 20 + (row % 2 ? 1 : -1) * unit * 22 * (progress - 0.5)}
              y={size * (row + 0.75)}
              fontFamily={fonts.title}
              fontWeight={700}
              fontSize={size}
              fill="none"
              stroke={ink}
              strokeWidth={unit * 0.22}
            >
              {`${text} `.repeat(Math.ceil(42 / (text.length + 1)) + 2)}
            </text>
          ))}
        </svg>
      </AbsoluteFill>
    );
  }
  if (kind === 1) {
    return (
      <svg width={width} height={height} style={{ position: "absolute" }}>
        {[0, 1, 2].map((disc) => (
          <circle
            key={disc}
            cx={width * (0.84 - disc * 0.34) + unit * 6 * progress}
            cy={height * (disc === 1 ? 0.9 : 0.14 + disc * 0.05)}
            r={unit * (30 - disc * 7) * ease.outBack(clamp(arrive * 1.5 - disc * 0.2)) + unit * 3 * progress}
            fill={disc === 1 ? "none" : alpha(color, 0.42)}
            stroke={alpha(ink, 0.35)}
            strokeWidth={disc === 1 ? unit * 0.5 : 0}
          />
        ))}
      </svg>
    );
  }
  return (
    <svg width={width} height={height} style={{ position: "absolute" }}>
      {[0, 1, 2, 3, 4, 5].map((stripe) => (
        <rect
          key={stripe}
          x={-width * 0.3 + unit * 10 * progress}
          y={(height / 6) * stripe + height * 0.06}
          width={width * 1.7 * ease.outExpo(clamp(arrive * 1.6 - stripe * 0.09))}
          height={unit * mix(0.5, 3.4, (stripe % 3) / 2)}
          fill={stripe % 2 ? alpha(color, 0.4) : alpha(ink, 0.12)}
          transform={`rotate(-12 ${width / 2} ${height / 2})`}
        />
      ))}
    </svg>
  );
}
