import { createRafDriver, getProject, type IRafDriver, type ISheet, type ISheetObject } from "@theatre/core";
import { useThree, type ThreeElements } from "@react-three/fiber";
import { createContext, useContext, useLayoutEffect, useMemo, useRef, type ReactNode } from "react";
import { PerspectiveCamera, type Group } from "three";
import { useCurrentFrame, useFrames, useVideoConfig } from "./frame";
import { SHEET, toTheatreState, type Animation } from "./keyframes";

/** Theatre.js without its studio: sheets whose position is the frame being drawn, never a wall clock. */

interface Timeline {
  sheet: ISheet;
  driver: IRafDriver;
}

const TimelineContext = createContext<Timeline | null>(null);
const timelines = new Set<Timeline>();
let projects = 0;

/** Brings every Theatre sheet to this time, and everything that follows one. */
export function seekTheatre(seconds: number): void {
  for (const { sheet, driver } of timelines) {
    sheet.sequence.position = seconds;
    driver.tick(seconds * 1000);
  }
}

interface TheatreProps {
  animation: Animation;
  children: ReactNode;
}

/** Makes the keyframes of an animation move the objects below it. */
export function Theatre({ animation, children }: TheatreProps) {
  const { duration, fps } = useVideoConfig();
  const frames = useFrames();
  const timeline = useMemo<Timeline>(() => {
    // A project's state cannot be changed, so every composition that is loaded gets a project of its own.
    projects += 1;
    const project = getProject(`Koda ${projects}`, { state: toTheatreState(animation, duration) });
    const sheet = project.sheet(SHEET);
    sheet.sequence.position = frames.get() / fps;
    return { sheet, driver: createRafDriver({ name: `Koda ${projects}` }) };
  }, [animation, duration, fps, frames]);

  useLayoutEffect(() => {
    timelines.add(timeline);
    return () => {
      timelines.delete(timeline);
    };
  }, [timeline]);

  return <TimelineContext value={timeline}>{children}</TimelineContext>;
}

function useTimeline(): Timeline {
  const timeline = useContext(TimelineContext);
  if (!timeline) throw new Error("Put <Theatre animation={…}> around what its keyframes move.");
  return timeline;
}

type Props = { [name: string]: number | Props };
type Values<P extends Props> = { [name in keyof P]: P[name] extends Props ? Values<P[name]> : number };

function useObject<P extends Props>(id: string, initial: P): ISheetObject<P> {
  const { sheet } = useTimeline();
  const first = useRef(initial);
  return useMemo(() => sheet.object(id, first.current, { reconfigure: true }), [sheet, id]);
}

/** The values of a Theatre object at the frame being drawn; `initial` names its properties and what they are without keyframes. */
export function useTheatre<const P extends Props>(id: string, initial: P): Values<P> {
  useCurrentFrame();
  return useObject(id, initial).value as Values<P>;
}

type Vector = readonly [x: number, y: number, z: number];

function xyz([x, y, z]: Vector) {
  return { x, y, z };
}

interface TheatreGroupProps extends Omit<ThreeElements["group"], "id" | "position" | "rotation" | "scale" | "ref"> {
  /** The object's name in the animation. */
  id: string;
  position?: Vector;
  /** Radians. */
  rotation?: Vector;
  scale?: number;
}

/** A group moved by the keyframes of `position`, `rotation` and `scale` (one number) of its object. */
export function TheatreGroup({ id, position = [0, 0, 0], rotation = [0, 0, 0], scale = 1, ...props }: TheatreGroupProps) {
  const group = useRef<Group>(null);
  const { driver } = useTimeline();
  const object = useObject(id, { position: xyz(position), rotation: xyz(rotation), scale });
  useLayoutEffect(() => {
    const apply = ({ position, rotation, scale }: typeof object.value) => {
      group.current?.position.set(position.x, position.y, position.z);
      group.current?.rotation.set(rotation.x, rotation.y, rotation.z);
      group.current?.scale.setScalar(scale);
    };
    apply(object.value);
    return object.onValuesChange(apply, driver);
  }, [object, driver]);
  return <group ref={group} {...props} />;
}

interface TheatreCameraProps {
  /** The object's name in the animation. */
  id?: string;
  position?: Vector;
  /** The point that it looks at. */
  target?: Vector;
  /** Field of view of the picture's short side, in degrees: what fits the middle square is seen in every format. */
  fov?: number;
  /** Turn about the line of sight, in radians. */
  roll?: number;
}

/** The camera, moved by the keyframes of `position`, `target`, `fov` and `roll` of its object. */
export function TheatreCamera({ id = "Camera", position = [0, 0, 8], target = [0, 0, 0], fov = 35, roll = 0 }: TheatreCameraProps) {
  const { driver } = useTimeline();
  const { aspect } = useVideoConfig();
  const set = useThree((state) => state.set);
  const camera = useMemo(() => new PerspectiveCamera(fov, aspect, 0.1, 200), [aspect, fov]);
  const object = useObject(id, { position: xyz(position), target: xyz(target), fov, roll });

  useLayoutEffect(() => {
    set({ camera: Object.assign(camera, { manual: true }) });
  }, [camera, set]);

  useLayoutEffect(() => {
    const apply = ({ position, target, fov, roll }: typeof object.value) => {
      camera.position.set(position.x, position.y, position.z);
      camera.up.set(0, 1, 0);
      camera.lookAt(target.x, target.y, target.z);
      camera.rotateZ(roll);
      camera.fov = verticalFov(fov, aspect);
      camera.aspect = aspect;
      camera.updateProjectionMatrix();
      camera.updateMatrixWorld();
    };
    apply(object.value);
    return object.onValuesChange(apply, driver);
  }, [object, driver, camera, aspect]);

  return <primitive object={camera} />;
}

function verticalFov(short: number, aspect: number): number {
  if (aspect >= 1) return short;
  return (2 * Math.atan(Math.tan((short * Math.PI) / 360) / aspect) * 180) / Math.PI;
}
