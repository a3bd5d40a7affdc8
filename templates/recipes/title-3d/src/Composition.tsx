import { useMemo } from "react";
import { animate } from "./animation";
import { design as given } from "./design";
import type { Design } from "./koda/design";
import { useVideoConfig } from "./koda/frame";
import { blend, ease, luminance, stagger } from "./koda/motion";
import { Backdrop, StudioLight } from "./koda/studio";
import { Text, useTextLayout, type Letter } from "./koda/text";
import { Theatre, TheatreCamera, useTheatre } from "./koda/theatre";
import { Shapes } from "./Shapes";

const design: Design = given;
const { title, subtitle, colors, fonts } = design;
const dark = luminance(colors.background) < 0.5;

/** How wide the title may be, and how far away the camera then stands; in tall formats the title breaks into more lines. */
const WIDE = { landscape: 10.4, square: 6.4, portrait: 5.2 };

/** Thick letters spin into place in front of a moving camera, with small shapes floating around them. */
export default function Composition() {
  const { aspect, duration, portrait } = useVideoConfig();
  const maxWidth = portrait ? WIDE.portrait : aspect < 1.3 ? WIDE.square : WIDE.landscape;
  const animation = useMemo(() => {
    const fov = 32;
    const seen = 2 * Math.tan((fov * Math.PI) / 360) * Math.max(1, aspect);
    const distance = Math.min(16, Math.max(8.4, (maxWidth * 1.26) / seen));
    const entrance = Math.min(0.4, 2.4 / duration);
    return animate(distance, entrance, Math.min(0.16, 0.9 / duration));
  }, [aspect, duration, maxWidth]);
  return (
    <Theatre animation={animation}>
      <Backdrop color={colors.background} glow={blend(colors.background, colors.primary, dark ? 0.34 : 0.3)} at={[0.5, 0.62]} reach={0.62} />
      <TheatreCamera id="Camera" fov={32} />
      <Lights />
      <Rings />
      <Shapes />
      <Title maxWidth={maxWidth} />
    </Theatre>
  );
}

function Lights() {
  const { glow, turn } = useTheatre("Light", { glow: 0, turn: 0 });
  return (
    <>
      <StudioLight
        room={blend(colors.background, "#20242f", 0.5)}
        intensity={0.15 + 0.85 * glow}
        panels={[
          { position: [0, 7, 2], size: [9, 3], intensity: 4.5 },
          { position: [-7, 2, 4], size: [2.5, 6], color: blend(colors.primary, "#ffffff", 0.35), intensity: 6 },
          { position: [7, 1, 3], size: [2, 7], color: blend(colors.accent, "#ffffff", 0.25), intensity: 6 },
          { position: [0, -6, 3], size: [8, 2], color: colors.primary, intensity: 2.5 },
          { position: [0, 2, 9], size: [7, 1.2], intensity: 1.6 },
        ]}
      />
      <directionalLight position={[Math.sin(turn) * 7, 6, 6]} intensity={1.5 * glow} color={blend(colors.text, "#ffffff", 0.6)} />
    </>
  );
}

/** Two thin rings that turn behind the title. */
function Rings() {
  const { spread, turn } = useTheatre("Shapes", { spread: 1, turn: 0 });
  return (
    <group position={[0, 0, -4.2]} scale={Math.min(1.15, spread)}>
      <mesh rotation={[0.5 - turn * 0.7, -0.4 + turn * 0.7, 0]}>
        <torusGeometry args={[4.6, 0.026, 8, 160]} />
        <meshBasicMaterial color={colors.accent} transparent opacity={0.8} toneMapped={false} />
      </mesh>
      <mesh rotation={[-0.6 + turn * 0.5, 0.5 - turn * 0.6, 0]}>
        <torusGeometry args={[5.5, 0.018, 8, 160]} />
        <meshBasicMaterial color={colors.primary} transparent opacity={0.75} toneMapped={false} />
      </mesh>
    </group>
  );
}

function Title({ maxWidth }: { maxWidth: number }) {
  const { arrive, leave } = useTheatre("Letters", { arrive: 0, leave: 0 });
  const words = useTheatre("Words", { arrive: 0 });
  const { portrait } = useVideoConfig();
  // Laid out large first; what does not fit is made smaller.
  const heading = { family: fonts.title, weight: 800, size: portrait ? 1.9 : 2.5, lineHeight: 1.04, letterSpacing: 0.01, maxWidth, maxHeight: portrait ? 6 : 3.1 };
  const small = { family: fonts.body, weight: 400, size: 0.42, maxWidth: maxWidth * 0.92, lineHeight: 1.3 };
  const above = useTextLayout(title, heading);
  const below = useTextLayout(subtitle || " ", small);
  const gap = 0.75;
  const lift = subtitle ? (gap + below.height) / 2 : 0;

  const letter = ({ index, count, x }: Letter) => {
    const shown = stagger(arrive, index, count, 0, 1, ease.outBack, 0.5);
    const gone = stagger(leave, index, count, 0, 1, ease.in, 0.7);
    const side = index % 2 ? 1 : -1;
    return {
      position: [x * 0.5 * (1 - shown) + x * 0.4 * gone, (1 - shown) * side * 2.4, (1 - shown) * 3 + gone * 5] as const,
      rotation: [(1 - shown) * side * 1.6, (1 - shown) * -2.2 + gone * side * 0.7, (1 - shown) * 0.5] as const,
      scale: Math.max(0.0001, Math.min(1, shown * 1.6)),
    };
  };

  return (
    <>
      <Text text={title} {...heading} depth={0.55} bevel={0.026} position={[0, lift, 0]} letter={letter}>
        <meshStandardMaterial attach="material-0" color={colors.text} emissive={colors.text} emissiveIntensity={0.22} metalness={0.05} roughness={0.32} />
        <meshStandardMaterial attach="material-1" color={colors.primary} metalness={0.5} roughness={0.24} />
      </Text>
      {subtitle ? (
        <Text
          text={subtitle}
          {...small}
          position={[0, lift - above.height / 2 - gap - below.height / 2, 0.25]}
          visible={words.arrive > 0.02 && leave < 0.9}
          letter={({ index, count }) => {
            const shown = stagger(words.arrive, index, count, 0, 1, ease.outBack, 0.4);
            return { position: [0, (1 - shown) * -0.4, 0], scale: Math.max(0.0001, shown * (1 - leave)) };
          }}
        >
          <meshBasicMaterial color={blend(colors.text, colors.accent, 0.35)} toneMapped={false} />
        </Text>
      ) : null}
    </>
  );
}
