/** Keys of the player and of the guides, and what they are called in the help. */

import type { KeyboardEvent } from "react";
import { type Guide, toggleGuide } from "../store/ui";
import type { Player } from "./player";
import { partOf } from "./points";

interface Key {
  key: string;
  /** The key's place: with Alt some keyboards write another sign. */
  code?: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** Every shortcut of a preview, as the help shows them. Several combinations belong to the parts of a label in order. */
export const PREVIEW_KEYS: readonly [label: string, keys: readonly string[]][] = [
  ["Play or pause", ["space"]],
  ["A second back, pause, play faster", ["j", "k", "l"]],
  ["Step by a frame", ["left", "right"]],
  ["Step by ten frames", ["shift+left", "shift+right"]],
  ["First or last frame", ["home", "end"]],
  ["Set the in or out point", ["i", "o"]],
  ["Go to the in or out point", ["shift+i", "shift+o"]],
  ["Clear the in or out point", ["alt+i", "alt+o"]],
  ["Clear both", ["x"]],
  ["Sound", ["m"]],
  ["Safe areas", ["s"]],
  ["Social media areas", ["shift+s"]],
  ["Grid", ["g"]],
  ["Full screen", ["f"]],
];

/** What a key does to a player; `false` where it is none of its business. */
export function onPlayerKey(player: Player, key: Key): boolean {
  if (key.ctrlKey || key.metaKey) return false;
  const { info, frame, points, rate, playing, sound, audible } = player.state.getState();
  if (!info) return false;
  if (key.altKey) return clears(player, key.code);
  const step = key.shiftKey ? 10 : 1;
  const part = partOf(points, info.durationInFrames);
  switch (key.key) {
    case " ":
    case "k":
    case "K":
      if (key.key === " ") player.toggle();
      else player.pause();
      return true;
    case "l":
    case "L":
      // Again and again: faster.
      if (playing) player.setRate(rate >= 4 ? 4 : rate >= 2 ? 4 : 2);
      else {
        if (rate !== 1) player.setRate(1);
        player.play();
      }
      return true;
    case "j":
    case "J":
      // The preview plays forward only; back is a second at a time.
      player.step(-Math.round(info.fps));
      return true;
    case "ArrowLeft":
    case ",":
      player.step(-step);
      return true;
    case "ArrowRight":
    case ".":
      player.step(step);
      return true;
    case "Home":
      player.seek(0);
      return true;
    case "End":
      player.seek(info.durationInFrames - 1);
      return true;
    case "i":
    case "I":
      if (key.shiftKey) player.seek(part.first);
      else player.mark("in", frame);
      return true;
    case "o":
    case "O":
      if (key.shiftKey) player.seek(part.last);
      else player.mark("out", frame);
      return true;
    case "x":
    case "X":
      player.clearPoints();
      return true;
    case "m":
    case "M":
      if (audible || sound) player.setSound(!sound);
      return true;
    default:
      return false;
  }
}

function clears(player: Player, code: string | undefined): boolean {
  if (code === "KeyI") player.mark("in", null);
  else if (code === "KeyO") player.mark("out", null);
  else if (code === "KeyX") player.clearPoints();
  else return false;
  return true;
}

/** The guide that a key shows or hides, or null. */
export function guideOf(key: Key): Guide | null {
  if (key.ctrlKey || key.metaKey || key.altKey) return null;
  switch (key.key) {
    case "s":
    case "S":
      return key.shiftKey ? "social" : "safe";
    case "g":
    case "G":
      return "grid";
    default:
      return null;
  }
}

interface Area {
  player: Player;
  /** Guides that this picture has. */
  guides: readonly Guide[];
  onFullscreen: () => void;
}

/** Keys for whatever has focus in the area of a preview; typing is left alone, and so are menus. */
export function previewKeys({ player, guides, onFullscreen }: Area) {
  return (event: KeyboardEvent<HTMLElement>) => {
    if (event.defaultPrevented || isElsewhere(event)) return;
    const guide = guideOf(event);
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (guide && guides.includes(guide)) toggleGuide(guide);
    else if (plain && event.key.toLowerCase() === "f") onFullscreen();
    else if (!onPlayerKey(player, event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function isElsewhere({ target, currentTarget, key }: KeyboardEvent<HTMLElement>): boolean {
  // What a menu hears comes here by way of React, wherever the menu is drawn.
  if (!(target instanceof HTMLElement) || !currentTarget.contains(target)) return true;
  if (target.closest("[role=menu]")) return true;
  const types =
    target.isContentEditable ||
    target.tagName === "TEXTAREA" ||
    (target instanceof HTMLInputElement && target.type !== "range");
  const presses = target instanceof HTMLButtonElement && (key === " " || key === "Enter");
  return types || presses;
}
