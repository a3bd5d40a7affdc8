/** Lines over the picture that are no part of it: safe areas, what apps cover, thirds and centre. */

import { Frame } from "lucide-react";
import { type Guide, toggleGuide, useUi } from "../store/ui";
import { IconButton } from "../ui/Button";
import { Menu } from "../ui/Menu";
import styles from "./Guides.module.css";

interface GuideWords {
  label: string;
  detail: string;
  shortcut: string;
}

const WORDS: Record<Guide, GuideWords> = {
  safe: { label: "Safe areas", detail: "Action 90 %, title 80 %", shortcut: "s" },
  social: {
    label: "Social media areas",
    detail: "What Reels, Shorts and TikTok cover",
    shortcut: "shift+s",
  },
  grid: { label: "Grid", detail: "Thirds and centre", shortcut: "g" },
};

/** Guides that make sense for a picture of this shape: apps cover portrait films only. */
export const guidesFor = (ratio: number): readonly Guide[] =>
  ratio < 0.7 ? ["safe", "social", "grid"] : ["safe", "grid"];

/** The picture is 100 units high, whatever its shape. */
const HEIGHT = 100;

/** A rectangle that leaves these shares of each side free, as a path. */
function inset(width: number, top: number, right: number, bottom: number, left: number): string {
  const [x, y] = [width * left, HEIGHT * top];
  return `M${x} ${y}H${width * (1 - right)}V${HEIGHT * (1 - bottom)}H${x}Z`;
}

/** SMPTE ST 2046-1 has 93 % and 90 %; editors show the older 90 % and 80 %, which are on the safe side. */
const safe = (width: number) =>
  inset(width, 0.05, 0.05, 0.05, 0.05) + inset(width, 0.1, 0.1, 0.1, 0.1);

/**
 * What stays free of all three apps: Meta asks for 14 % at the top, 35 % at the bottom and 6 % at the
 * sides of a Reel, and the column of buttons takes up to 18 % at the right of the lower half (Shorts).
 */
function social(width: number): string {
  const [left, right, rail] = [width * 0.06, width * 0.94, width * 0.82];
  const [top, step, bottom] = [HEIGHT * 0.14, HEIGHT * 0.45, HEIGHT * 0.65];
  return `M${left} ${top}H${right}V${step}H${rail}V${bottom}H${left}Z`;
}

function thirds(width: number): string {
  const lines = [1, 2].map((n) => `M${(width * n) / 3} 0V${HEIGHT}M0 ${(HEIGHT * n) / 3}H${width}`);
  const arm = Math.min(width, HEIGHT) * 0.04;
  const cross = `M${width / 2 - arm} 50H${width / 2 + arm}M${width / 2} ${50 - arm}V${50 + arm}`;
  return lines.join("") + cross;
}

const PATHS: Record<Guide, (width: number) => string> = { safe, social, grid: thirds };

/** Fills the picture it is put into, which has this ratio of width to height. */
export function Guides({ ratio }: { ratio: number }) {
  const chosen = useUi((it) => it.guides);
  const shown = guidesFor(ratio).filter((it) => chosen.includes(it));
  if (shown.length === 0) return null;
  const width = HEIGHT * ratio;
  return (
    <svg
      className={styles.guides}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden
    >
      {shown.map((guide) => {
        const path = PATHS[guide](width);
        return (
          <g key={guide} data-guide={guide} className={styles[guide]}>
            {guide === "social" && (
              <path className={styles.covered} d={`M0 0H${width}V${HEIGHT}H0Z${path}`} />
            )}
            {/* Light on dark, so that it can be seen on any picture. */}
            <path className={styles.shade} d={path} />
            <path className={styles.line} d={path} />
          </g>
        );
      })}
    </svg>
  );
}

export function GuidesMenu({ guides, disabled }: { guides: readonly Guide[]; disabled: boolean }) {
  const chosen = useUi((it) => it.guides);
  return (
    <Menu
      side="top"
      align="end"
      trigger={
        <IconButton
          label="Guides"
          title="Guides"
          size="sm"
          active={guides.some((it) => chosen.includes(it))}
          disabled={disabled}
        >
          <Frame />
        </IconButton>
      }
      items={guides.map((guide) => ({
        ...WORDS[guide],
        checked: chosen.includes(guide),
        onSelect: () => toggleGuide(guide),
      }))}
    />
  );
}
