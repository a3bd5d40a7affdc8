/** Edits of a plan before it is approved. Pure. */

import type { Plan, Scene, Settings } from "../../../api/types";
import { shownAt } from "../../../session/timing";

export const MAX_SCENES = 24;
export const MIN_SECONDS = 1;
export const MAX_SECONDS = 120;

const round = (seconds: number) => Math.round(seconds * 100) / 100;

export const totalSeconds = (plan: Plan): number =>
  round(plan.scenes.reduce((sum, scene) => sum + scene.duration_seconds, 0));

const withScenes = (plan: Plan, scenes: Scene[]): Plan => ({ ...plan, scenes });

export function setScene(plan: Plan, at: number, patch: Partial<Scene>): Plan {
  return withScenes(
    plan,
    plan.scenes.map((scene, n) => (n === at ? { ...scene, ...patch } : scene)),
  );
}

/** A new scene after this one, as long as scenes are on average. */
export function addScene(plan: Plan, after: number): Plan {
  if (plan.scenes.length >= MAX_SCENES) return plan;
  const average = plan.scenes.length ? totalSeconds(plan) / plan.scenes.length : 2;
  const seconds = Math.max(0.5, Math.round(average * 2) / 2);
  const scene: Scene = { title: "New scene", description: "", duration_seconds: seconds };
  return withScenes(plan, plan.scenes.toSpliced(after + 1, 0, scene));
}

/** The last scene cannot go. */
export function removeScene(plan: Plan, at: number): Plan {
  return plan.scenes.length > 1 ? withScenes(plan, plan.scenes.toSpliced(at, 1)) : plan;
}

export function moveScene(plan: Plan, from: number, to: number): Plan {
  const scene = plan.scenes[from];
  if (!scene || to < 0 || to >= plan.scenes.length) return plan;
  return withScenes(plan, plan.scenes.toSpliced(from, 1).toSpliced(to, 0, scene));
}

/**
 * Where scenes begin in the film, in frames. They keep their shares when the whole is made longer or shorter than it was
 * planned, and move with the pace at which it is played.
 */
export function sceneMarks(
  plan: Plan,
  settings: Pick<Settings, "fps" | "duration_seconds" | "timing">,
): { frame: number; title: string }[] {
  const stretch = settings.duration_seconds / totalSeconds(plan);
  let seconds = 0;
  return plan.scenes.map((scene) => {
    const frame = Math.round(shownAt(settings, seconds * stretch) * settings.fps);
    seconds += scene.duration_seconds;
    return { frame, title: scene.title };
  });
}

/** Why the plan cannot be approved as it is, by field; the server has the same rules. */
export function problems(plan: Plan): Record<string, string> {
  const found: Record<string, string> = {};
  plan.scenes.forEach((scene, n) => {
    const title = scene.title.trim();
    if (!title || title.length > 120)
      found[`scenes.${n}.title`] = "Give the scene a title of at most 120 characters.";
    const seconds = scene.duration_seconds;
    if (!(seconds >= 0.1 && seconds <= MAX_SECONDS)) {
      found[`scenes.${n}.duration_seconds`] = "A scene lasts 0.1 to 120 seconds.";
    }
    if (scene.description.length > 2_000) {
      found[`scenes.${n}.description`] = "A description has at most 2000 characters.";
    }
  });
  const total = totalSeconds(plan);
  if (!(total >= MIN_SECONDS && total <= MAX_SECONDS)) {
    found.scenes = `The scenes last ${total} s together; make it 1 to 120 s.`;
  }
  return found;
}

export const isEdited = (plan: Plan, edited: Plan): boolean =>
  JSON.stringify(plan) !== JSON.stringify(edited);
