import { useMemo } from "react";
import { useCurrentFrame, useVideoConfig } from "./koda/frame";

const COUNT = 6000;

/** Thousands of points on a spiral that turns. */
export default function Particles() {
  const frame = useCurrentFrame();
  const time = frame / useVideoConfig().fps;
  const [positions, colors] = useMemo(() => {
    const places = new Float32Array(COUNT * 3);
    const tints = new Float32Array(COUNT * 3);
    for (let index = 0; index < COUNT; index++) {
      const share = index / COUNT;
      const [angle, radius] = [index * 2.39996, Math.sqrt(share) * 3.2];
      places.set([Math.cos(angle) * radius, Math.sin(index * 12.9898) * 0.5, Math.sin(angle) * radius], index * 3);
      tints.set([0.4 + 0.6 * share, 0.5, 1 - 0.6 * share], index * 3);
    }
    return [places, tints];
  }, []);
  return (
    <>
      <color attach="background" args={["#05060d"]} />
      <points rotation={[0.5, time * 0.7, 0]}>
        <bufferGeometry>
          <bufferAttribute attach="attributes-position" args={[positions, 3]} />
          <bufferAttribute attach="attributes-color" args={[colors, 3]} />
        </bufferGeometry>
        <pointsMaterial size={0.05} vertexColors />
      </points>
    </>
  );
}
