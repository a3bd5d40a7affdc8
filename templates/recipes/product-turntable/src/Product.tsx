import { useMemo } from "react";
import { CatmullRomCurve3, LatheGeometry, TubeGeometry, Vector2, Vector3 } from "three";
import { RoundedBoxGeometry } from "three/addons/geometries/RoundedBoxGeometry.js";
import { design as given } from "./design";
import type { Design } from "./koda/design";
import { blend, mix } from "./koda/motion";
import { usePainted } from "./koda/studio";

const design: Design = given;
const { colors, title, fonts } = design;

/** The product, standing on y = -0.85: a bottle, headphones or a phone. */
export function Product({ kind }: { kind: string | undefined }) {
  if (kind === "headphones") return <Headphones />;
  if (kind === "phone") return <Phone />;
  return <Bottle />;
}

/** A turned shape from a profile of radius and height. */
function useTurned(profile: readonly (readonly [radius: number, height: number])[]) {
  return useMemo(() => new LatheGeometry(profile.map(([radius, height]) => new Vector2(radius, height)), 96), [profile]);
}

const bottleProfile = [
  [0, -0.85], [0.5, -0.85], [0.545, -0.83], [0.57, -0.79], [0.575, -0.7], [0.575, 0.12], [0.565, 0.26], [0.52, 0.38], [0.42, 0.47], [0.3, 0.52], [0.235, 0.56], [0.215, 0.62], [0.215, 0.72],
] as const;
const liquidProfile = [[0, -0.8], [0.47, -0.8], [0.515, -0.76], [0.53, -0.69], [0.53, 0.12], [0.518, 0.24], [0.485, 0.32], [0, 0.32]] as const;
const capProfile = [[0, 0.735], [0.25, 0.735], [0.262, 0.76], [0.262, 1.16], [0.255, 1.185], [0.23, 1.2], [0, 1.2]] as const;

/** Tinted glass with a drink in it, a label and a metal cap. */
function Bottle() {
  const glass = useTurned(bottleProfile);
  const liquid = useTurned(liquidProfile);
  const cap = useTurned(capProfile);
  const label = usePainted(
    1600,
    416,
    (context) => {
      const gradient = context.createLinearGradient(0, 0, 1600, 416);
      gradient.addColorStop(0, colors.text);
      gradient.addColorStop(1, blend(colors.text, colors.primary, 0.18));
      context.fillStyle = gradient;
      context.fillRect(0, 0, 1600, 416);
      context.fillStyle = colors.accent;
      context.fillRect(0, 366, 1600, 50);
      context.fillStyle = blend(colors.background, "#000000", 0.3);
      context.textAlign = "center";
      context.textBaseline = "middle";
      const word = title.split(/\s+/)[0] ?? "";
      let size = 230;
      do {
        size -= 6;
        context.font = `700 ${size}px "${fonts.title}"`;
      } while (context.measureText(word).width > 900 && size > 40);
      context.fillText(word, 800, 196);
    },
    [title, ...Object.values(colors), fonts.title].join(),
  );
  return (
    <group>
      <mesh geometry={liquid}>
        <meshStandardMaterial color={colors.primary} roughness={0.12} metalness={0.1} emissive={colors.primary} emissiveIntensity={0.22} />
      </mesh>
      <mesh geometry={glass} castShadow>
        <meshStandardMaterial color={blend(colors.primary, "#ffffff", 0.75)} roughness={0.03} metalness={0.08} transparent opacity={0.2} envMapIntensity={2.6} depthWrite={false} />
      </mesh>
      <mesh position={[0, -0.38, 0]} rotation={[0, -0.55 * Math.PI, 0]}>
        <cylinderGeometry args={[0.579, 0.579, 0.52, 96, 1, true, 0, Math.PI * 1.1]} />
        <meshStandardMaterial map={label} roughness={0.55} />
      </mesh>
      <mesh geometry={cap} castShadow>
        <meshStandardMaterial color={blend(colors.accent, "#d8d8d8", 0.35)} metalness={1} roughness={0.2} />
      </mesh>
      <mesh position={[0, 0.745, 0]} rotation={[Math.PI / 2, 0, 0]}>
        <torusGeometry args={[0.245, 0.022, 12, 64]} />
        <meshStandardMaterial color={blend(colors.background, "#888888", 0.4)} metalness={1} roughness={0.3} />
      </mesh>
    </group>
  );
}

/** A band, two arms and two cups with soft cushions. */
function Headphones() {
  const band = useMemo(() => {
    const points = Array.from({ length: 25 }, (_, index) => {
      const angle = mix(-0.06, Math.PI + 0.06, index / 24);
      return new Vector3(Math.cos(angle) * 0.88, Math.sin(angle) * 0.96 - 0.02, 0);
    });
    return new TubeGeometry(new CatmullRomCurve3(points), 96, 0.062, 20);
  }, []);
  const padding = useMemo(() => {
    const points = Array.from({ length: 15 }, (_, index) => {
      const angle = mix(0.9, Math.PI - 0.9, index / 14);
      return new Vector3(Math.cos(angle) * 0.82, Math.sin(angle) * 0.89 - 0.02, 0);
    });
    return new TubeGeometry(new CatmullRomCurve3(points), 64, 0.1, 20);
  }, []);
  const shell = blend(colors.text, colors.background, 0.06);
  return (
    <group position={[0, 0.1, 0]}>
      <mesh geometry={band} castShadow>
        <meshStandardMaterial color={shell} metalness={0.85} roughness={0.22} />
      </mesh>
      <mesh geometry={padding} castShadow scale={[1, 1, 1.5]}>
        <meshStandardMaterial color={blend(colors.primary, "#000000", 0.55)} roughness={0.85} />
      </mesh>
      {[-1, 1].map((side) => (
        <mesh key={side} position={[side * Math.cos(0.9) * 0.82, Math.sin(0.9) * 0.89 - 0.02, 0]} scale={[1, 1, 1.5]}>
          <sphereGeometry args={[0.1, 24, 16]} />
          <meshStandardMaterial color={blend(colors.primary, "#000000", 0.55)} roughness={0.85} />
        </mesh>
      ))}
      {[-1, 1].map((side) => (
        <group key={side} position={[side * 0.86, -0.4, 0]} rotation={[0, 0, side * 0.07]}>
          <mesh position={[side * 0.04, 0.26, 0]} castShadow>
            <capsuleGeometry args={[0.045, 0.34, 8, 16]} />
            <meshStandardMaterial color={shell} metalness={1} roughness={0.25} />
          </mesh>
          <group rotation={[0, 0, Math.PI / 2]}>
            <mesh castShadow position={[0, -side * 0.06, 0]}>
              <cylinderGeometry args={[0.47, 0.5, 0.2, 72]} />
              <meshStandardMaterial color={colors.primary} metalness={0.45} roughness={0.26} />
            </mesh>
            <mesh position={[0, -side * 0.165, 0]}>
              <cylinderGeometry args={[0.34, 0.34, 0.03, 72]} />
              <meshStandardMaterial color={blend(colors.primary, "#000000", 0.45)} metalness={0.7} roughness={0.35} />
            </mesh>
            <mesh position={[0, -side * 0.172, 0]} rotation={[Math.PI / 2, 0, 0]}>
              <torusGeometry args={[0.345, 0.018, 12, 80]} />
              <meshStandardMaterial color={colors.accent} emissive={colors.accent} emissiveIntensity={0.9} roughness={0.3} />
            </mesh>
            <mesh castShadow position={[0, side * 0.1, 0]} rotation={[Math.PI / 2, 0, 0]} scale={[1, 1, 1.25]}>
              <torusGeometry args={[0.34, 0.13, 24, 72]} />
              <meshStandardMaterial color={blend(colors.background, "#222222", 0.5)} roughness={0.9} />
            </mesh>
          </group>
        </group>
      ))}
    </group>
  );
}

/** A thin slab with a glowing screen and three lenses. */
function Phone() {
  const body = useMemo(() => new RoundedBoxGeometry(0.98, 2, 0.11, 8, 0.12), []);
  const screen = usePainted(
    512,
    1064,
    (context) => {
      const gradient = context.createLinearGradient(0, 0, 512, 1064);
      gradient.addColorStop(0, colors.primary);
      gradient.addColorStop(0.55, blend(colors.primary, colors.accent, 0.55));
      gradient.addColorStop(1, colors.accent);
      context.beginPath();
      context.roundRect(0, 0, 512, 1064, 62);
      context.clip();
      context.fillStyle = gradient;
      context.fillRect(0, 0, 512, 1064);
      for (let ring = 0; ring < 6; ring++) {
        context.beginPath();
        context.arc(430, 860, 90 + ring * 105, 0, Math.PI * 2);
        context.lineWidth = 26;
        context.strokeStyle = `rgba(255,255,255,${0.2 - ring * 0.028})`;
        context.stroke();
      }
      context.fillStyle = "#ffffff";
      context.textAlign = "center";
      const word = title.split(/\s+/)[0] ?? "";
      let size = 96;
      do {
        size -= 4;
        context.font = `700 ${size}px "${fonts.title}"`;
      } while (context.measureText(word).width > 420 && size > 30);
      context.fillText(word, 256, 330);
      context.fillStyle = "#000000";
      context.beginPath();
      context.roundRect(186, 26, 140, 38, 19);
      context.fill();
    },
    [title, ...Object.values(colors), fonts.title].join(),
  );
  return (
    <group position={[0, 0.17, 0]} rotation={[-0.06, -0.15, 0]}>
      <mesh geometry={body} castShadow>
        <meshStandardMaterial color={blend(colors.text, colors.background, 0.3)} metalness={0.95} roughness={0.24} />
      </mesh>
      <mesh position={[0, 0, 0.0565]}>
        <planeGeometry args={[0.91, 1.9]} />
        <meshBasicMaterial map={screen} transparent toneMapped={false} />
      </mesh>
      <group position={[-0.24, 0.68, -0.06]} rotation={[0, Math.PI, 0]}>
        {[0, 1, 2].map((lens) => (
          <group key={lens} position={[(lens === 2 ? -0.24 : 0), lens === 1 ? -0.27 : lens === 2 ? -0.13 : 0, 0.02]} rotation={[Math.PI / 2, 0, 0]}>
            <mesh castShadow>
              <cylinderGeometry args={[0.11, 0.115, 0.06, 40]} />
              <meshStandardMaterial color={blend(colors.text, "#777777", 0.4)} metalness={1} roughness={0.2} />
            </mesh>
            <mesh position={[0, 0.032, 0]}>
              <cylinderGeometry args={[0.08, 0.08, 0.01, 40]} />
              <meshStandardMaterial color="#05060a" metalness={0.6} roughness={0.04} />
            </mesh>
          </group>
        ))}
      </group>
    </group>
  );
}
