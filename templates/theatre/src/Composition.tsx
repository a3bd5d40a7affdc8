import { animation } from "./animation";
import { design } from "./design";
import { Backdrop, ContactShadow, StudioLight } from "./koda/studio";
import { Text } from "./koda/text";
import { Theatre, TheatreCamera, TheatreGroup } from "./koda/theatre";

/** Stands in until there is an animation: a ring that turns once in the length of the composition. */
export default function Composition() {
  const { colors, fonts, title } = design;
  return (
    <Theatre animation={animation}>
      <Backdrop color={colors.background} glow="#1d2233" />
      <StudioLight />
      <TheatreCamera id="Camera" position={[0, 0.4, 8]} target={[0, -0.1, 0]} fov={32} />
      <TheatreGroup id="Knot">
        <mesh>
          <torusGeometry args={[0.72, 0.2, 32, 96]} />
          <meshStandardMaterial color={colors.primary} metalness={0.35} roughness={0.22} />
        </mesh>
      </TheatreGroup>
      <ContactShadow position={[0, -0.95, 0]} size={[2.6, 1.2]} opacity={0.55} />
      <Text text={title} family={fonts.title} weight={400} size={0.2} maxWidth={3.6} position={[0, -1.4, 0]}>
        <meshBasicMaterial color={colors.text} toneMapped={false} />
      </Text>
    </Theatre>
  );
}
