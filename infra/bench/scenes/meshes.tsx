import { useCurrentFrame, useVideoConfig } from "./koda/frame";

/** Lit meshes with shadows. */
export default function Meshes() {
  const frame = useCurrentFrame();
  const time = frame / useVideoConfig().fps;
  return (
    <>
      <color attach="background" args={["#1a1d2e"]} />
      <ambientLight intensity={0.5} />
      <directionalLight position={[4, 6, 5]} intensity={2.4} castShadow shadow-mapSize={[1024, 1024]} />
      <group rotation={[0.4, time * 0.8, 0]}>
        {Array.from({ length: 16 }, (_, index) => {
          const angle = (index / 16) * Math.PI * 2;
          return (
            <mesh key={index} castShadow receiveShadow position={[Math.cos(angle) * 2.2, Math.sin(angle * 2 + time) * 0.5, Math.sin(angle) * 2.2]} rotation={[time + index, time, 0]}>
              {index % 2 ? <torusGeometry args={[0.32, 0.12, 24, 48]} /> : <icosahedronGeometry args={[0.4, 2]} />}
              <meshStandardMaterial color={`hsl(${index * 22}, 70%, 55%)`} metalness={0.3} roughness={0.35} />
            </mesh>
          );
        })}
        <mesh receiveShadow rotation={[-Math.PI / 2, 0, 0]} position={[0, -1.1, 0]}>
          <planeGeometry args={[12, 12]} />
          <meshStandardMaterial color="#2b3050" />
        </mesh>
      </group>
    </>
  );
}
