import { Img, staticFile } from "remotion";
import { design as given } from "./design";
import type { Design } from "./koda/design";
import { alpha, blend, mix, readable } from "./koda/motion";

const design: Design = given;
const { title, colors, fonts, logo } = design;

interface MarkProps {
  size: number;
  /** How far a streak of light has run over it, 0 to 1. */
  sweep: number;
  /** Degrees by which the colours are turned. */
  turn: number;
}

/** The design's logo, or a mark made of the title's first letters. */
export function Mark({ size, sweep, turn }: MarkProps) {
  return logo ? <Picture src={staticFile(logo)} size={size} sweep={sweep} /> : <Monogram size={size} sweep={sweep} turn={turn} />;
}

function Picture({ src, size, sweep }: { src: string; size: number; sweep: number }) {
  const at = mix(-60, 160, sweep);
  return (
    <div style={{ position: "relative", width: size, height: size }}>
      <Img src={src} style={{ width: size, height: size, objectFit: "contain" }} />
      <div
        style={{
          position: "absolute",
          inset: 0,
          backgroundImage: `linear-gradient(105deg, transparent ${at - 18}%, ${alpha("#ffffff", 0.75)} ${at}%, transparent ${at + 18}%)`,
          maskImage: `url("${src}")`,
          maskSize: "contain",
          maskRepeat: "no-repeat",
          maskPosition: "center",
        }}
      />
    </div>
  );
}

function initials(): string {
  const words = title.trim().split(/\s+/).filter(Boolean);
  const letters = words.slice(0, 2).map((word) => [...word][0] ?? "");
  return letters.join("").toUpperCase() || "K";
}

/** A rounded square with the initials, in the design's two colours. */
function Monogram({ size, sweep, turn }: MarkProps) {
  const letters = initials();
  const ink = readable(blend(colors.primary, colors.accent, 0.35));
  const at = mix(-40, 150, sweep);
  return (
    <svg width={size} height={size} viewBox="0 0 100 100">
      <defs>
        <linearGradient id="mark-fill" gradientUnits="userSpaceOnUse" x1="0" y1="0" x2="100" y2="100" gradientTransform={`rotate(${turn} 50 50)`}>
          <stop offset="0" stopColor={colors.primary} />
          <stop offset="0.55" stopColor={blend(colors.primary, colors.accent, 0.35)} />
          <stop offset="1" stopColor={colors.accent} />
        </linearGradient>
        <linearGradient id="mark-edge" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#ffffff" stopOpacity="0.55" />
          <stop offset="0.5" stopColor="#ffffff" stopOpacity="0.04" />
        </linearGradient>
        <linearGradient id="mark-sweep" x1="0" y1="0" x2="1" y2="0.25">
          <stop offset="0" stopColor="#ffffff" stopOpacity="0" />
          <stop offset="0.5" stopColor="#ffffff" stopOpacity="0.55" />
          <stop offset="1" stopColor="#ffffff" stopOpacity="0" />
        </linearGradient>
        <clipPath id="mark-shape">
          <rect x="4" y="4" width="92" height="92" rx="27" />
        </clipPath>
      </defs>
      <g clipPath="url(#mark-shape)">
        <rect x="4" y="4" width="92" height="92" fill="url(#mark-fill)" />
        <circle cx="86" cy="14" r="46" fill={alpha("#ffffff", 0.12)} />
        <circle cx="10" cy="98" r="40" fill={alpha("#000000", 0.12)} />
      </g>
      <rect x="5" y="5" width="90" height="90" rx="26" fill="none" stroke="url(#mark-edge)" strokeWidth="1.6" />
      <text x="50" y="50" dy="0.355em" textAnchor="middle" fontFamily={fonts.title} fontWeight={700} fontSize={letters.length > 1 ? 42 : 56} letterSpacing="-1.5" fill={ink}>
        {letters}
      </text>
      <g clipPath="url(#mark-shape)">
        <rect x={at - 22} y="-10" width="44" height="120" fill="url(#mark-sweep)" />
      </g>
    </svg>
  );
}
