import { useMemo } from "react";
import { animate } from "./animation";
import { design as given } from "./design";
import type { Design } from "./koda/design";
import { useVideoConfig } from "./koda/frame";
import { blend, ease, luminance, stagger } from "./koda/motion";
import { Backdrop, ContactShadow, StudioLight } from "./koda/studio";
import { Text, useTextLayout } from "./koda/text";
import { Theatre, TheatreCamera, TheatreGroup, useTheatre } from "./koda/theatre";
import { Product } from "./Product";

const design: Design = given;
const { title, subtitle, colors, fonts } = design;
const dark = luminance(colors.background) < 0.5;
const ground = -0.85;

/** A product on a plinth, looked at closely, then turning slowly in full light beside its name. */
export default function Composition() {
  const { aspect, duration } = useVideoConfig();
  const wide = aspect > 1.15;
  const places = useMemo(() => {
    const seen = 2 * Math.tan((30 * Math.PI) / 360);
    // In wide formats the product stands right of its name, in others below it.
    const distance = wide ? (aspect < 1.5 ? 9 : 7.6) : aspect < 0.8 ? 8.8 : 10.8;
    const half = (seen * distance * Math.max(1, aspect)) / 2;
    const product = wide ? ([Math.min(2.3, half * 0.46), 0] as const) : ([0, aspect < 0.8 ? -1.15 : -1] as const);
    return { product, distance, arrived: Math.min(0.46, 3 / duration), leaves: 1 - Math.min(0.14, 0.8 / duration), half, wide };
  }, [aspect, duration, wide]);
  const animation = useMemo(() => animate(places), [places]);
  const [x, y] = places.product;

  return (
    <Theatre animation={animation}>
      <Backdrop color={blend(colors.background, "#000000", dark ? 0.25 : 0.05)} glow={blend(colors.background, dark ? colors.primary : "#ffffff", dark ? 0.3 : 0.6)} at={[wide ? 0.68 : 0.5, wide ? 0.5 : 0.62]} reach={0.62} />
      <TheatreCamera id="Camera" fov={30} />
      <Lights />
      <group position={[x, y, 0]}>
        <Ring />
        <TheatreGroup id="Turntable">
          <Product kind={design.style} />
        </TheatreGroup>
        <Plinth />
      </group>
      <Words wide={wide} half={places.half} x={x} ringTop={y + 2.25} />
    </Theatre>
  );
}

function Lights() {
  const { key } = useTheatre("Light", { key: 1, ring: 1 });
  return (
    <>
      <StudioLight
        room={blend(colors.background, dark ? "#1b1f29" : "#ffffff", 0.5)}
        intensity={key}
        panels={[
          { position: [0, 7, 1.5], size: [8, 3], intensity: dark ? 4.5 : 3 },
          { position: [-6, 1.4, 3], size: [1.6, 7], intensity: 6 },
          { position: [6, 1, 1], size: [1, 8], color: blend(colors.accent, "#ffffff", 0.35), intensity: 9 },
          { position: [-5, 0.5, -4], size: [2, 6], color: blend(colors.primary, "#ffffff", 0.2), intensity: 6 },
          { position: [1, 1, 8], size: [3.4, 2], intensity: 0.9 },
        ]}
      />
      <directionalLight
        castShadow
        position={[-3.5, 6, 3.5]}
        intensity={1.7 * key}
        shadow-mapSize={[1024, 1024]}
        shadow-radius={7}
        shadow-bias={-0.0004}
        shadow-normalBias={0.02}
        shadow-camera-left={-5}
        shadow-camera-right={5}
        shadow-camera-top={4}
        shadow-camera-bottom={-4}
      />
    </>
  );
}

/** A ring of light that ignites behind the product. */
function Ring() {
  const { ring } = useTheatre("Light", { key: 1, ring: 1 });
  return (
    <group position={[0, 0.45, -1.7]} rotation={[0, 0, Math.PI / 2]} scale={0.92 + 0.08 * ring}>
      <mesh visible={ring > 0.005}>
        <torusGeometry args={[1.72, 0.026, 12, 128, Math.PI * 2 * Math.max(0.001, ring)]} />
        <meshBasicMaterial color={blend(colors.accent, "#ffffff", 0.35)} toneMapped={false} />
      </mesh>
      <mesh visible={ring > 0.005} position={[0, 0, -0.05]}>
        <torusGeometry args={[1.72, 0.09, 12, 128, Math.PI * 2 * Math.max(0.001, ring)]} />
        <meshBasicMaterial color={colors.accent} transparent opacity={0.22 * ring} depthWrite={false} toneMapped={false} />
      </mesh>
    </group>
  );
}

/** Two round steps and the floor that they stand on. */
function Plinth() {
  const stone = blend(colors.background, dark ? colors.text : "#ffffff", dark ? 0.16 : 0.55);
  return (
    <group position={[0, ground, 0]}>
      <mesh receiveShadow castShadow position={[0, -0.09, 0]}>
        <cylinderGeometry args={[1.12, 1.14, 0.18, 96]} />
        <meshStandardMaterial color={stone} roughness={0.42} metalness={0.15} />
      </mesh>
      <mesh position={[0, -0.005, 0]} rotation={[Math.PI / 2, 0, 0]}>
        <torusGeometry args={[1.12, 0.014, 10, 128]} />
        <meshStandardMaterial color={colors.accent} emissive={colors.accent} emissiveIntensity={0.5} roughness={0.3} metalness={0.6} />
      </mesh>
      <mesh receiveShadow position={[0, -0.3, 0]}>
        <cylinderGeometry args={[1.62, 1.66, 0.24, 96]} />
        <meshStandardMaterial color={blend(stone, "#000000", 0.25)} roughness={0.5} metalness={0.15} />
      </mesh>
      <ContactShadow position={[0, 0.004, 0]} size={[1.7, 1.7]} opacity={dark ? 0.75 : 0.4} />
      <ContactShadow position={[0, -0.42, 0]} size={[6.4, 4.4]} opacity={dark ? 0.8 : 0.35} />
    </group>
  );
}

interface WordsProps {
  wide: boolean;
  /** Half of what the camera sees across. */
  half: number;
  x: number;
  /** Height of the ring of light, which words stand above. */
  ringTop: number;
}

function Words({ wide, half, x, ringTop }: WordsProps) {
  const { arrive, leave } = useTheatre("Words", { arrive: 0, leave: 0 });
  const { aspect } = useVideoConfig();
  // From the margin to the ring, or across the whole width.
  const left = -half * 0.88;
  const maxWidth = wide ? Math.max(1.8, x - 1.95 - left) : Math.min(half * 1.72, aspect < 0.8 ? 4.2 : 5);
  const heading = { family: fonts.title, weight: 800, size: wide ? 0.82 : 0.74, lineHeight: 1.06, letterSpacing: -0.01, maxWidth, maxHeight: wide ? 2.2 : aspect < 0.8 ? 1.5 : 0.62, align: wide ? "left" : "center" } as const;
  const small = { family: fonts.body, weight: 400, size: 0.235, lineHeight: 1.4, maxWidth: maxWidth * (wide ? 0.96 : 0.9), maxHeight: 0.9, align: heading.align } as const;
  const above = useTextLayout(title, heading);
  const below = useTextLayout(subtitle || " ", small);
  const gap = 0.36;
  const block = above.height + (subtitle ? gap + below.height : 0);
  const middle = wide ? 0.2 : ringTop + block / 2 + 0.3;
  const top = middle + block / 2;
  const lineY = top - above.height - gap * 0.5;

  const letter = (from: number, to: number) => ({ index, count }: { index: number; count: number }) => {
    const shown = stagger(arrive, index, count, from, to, ease.outExpo, 0.45);
    const gone = stagger(leave, index, count, 0, 1, ease.in, 0.7);
    return {
      position: [0, (1 - shown) * -0.35 + gone * 0.2, (1 - shown) * 0.5] as const,
      rotation: [(1 - shown) * -1.2 + gone * 0.8, 0, 0] as const,
      scale: Math.max(0.0001, Math.min(1, shown * 1.3) * (1 - gone)),
    };
  };

  return (
    <group visible={arrive > 0.001}>
      <Text text={title} {...heading} position={[wide ? left + above.width / 2 : 0, top - above.height / 2, 0]} letter={letter(0, 0.75)}>
        <meshBasicMaterial color={colors.text} toneMapped={false} />
      </Text>
      {subtitle ? (
        <>
          <mesh position={[wide ? left + 0.27 : 0, lineY, 0]} scale={[Math.max(0.0001, stagger(arrive, 0, 1, 0.3, 0.8, ease.inOut) * (1 - leave)), 1, 1]}>
            <planeGeometry args={[0.54, 0.03]} />
            <meshBasicMaterial color={colors.accent} toneMapped={false} />
          </mesh>
          <Text text={subtitle} {...small} position={[wide ? left + below.width / 2 : 0, top - above.height - gap - below.height / 2, 0]} letter={letter(0.35, 1)}>
            <meshBasicMaterial color={blend(colors.text, colors.background, 0.22)} toneMapped={false} />
          </Text>
        </>
      ) : null}
    </group>
  );
}
