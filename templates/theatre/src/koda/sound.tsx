import { useEffect, useRef } from "react";
import { capturing } from "./environment";
import { useFrames, useVideoConfig, type FrameStore } from "./frame";

/** What is heard of a file, and when. */
export interface Heard {
  /** When it begins in the film, in seconds. */
  at?: number;
  /** When it ends in the film, in seconds; by default when the file does. */
  until?: number;
  /** Where in the file it begins, in seconds. */
  from?: number;
  /** How fast it is played. */
  rate?: number;
  /** How loud, 0 to 1: a number, or a function of the seconds since it began. */
  volume?: number | ((seconds: number) => number);
}

interface SoundProps extends Heard {
  /** A file of `public/`, such as "/assets/music.mp3". */
  src: string;
}

/** Has a file heard until the function that it answers is called. `heard` is asked at every frame. */
export function sounding(src: string, fps: number, frames: FrameStore, heard: () => Heard): () => void {
  // It only says what is to be heard now: a capture reads that of every frame, and the preview's soundtrack plays it.
  const audio = document.createElement("audio");
  if (!capturing) audio.preload = "none";
  audio.src = src;
  document.body.append(audio);
  const place = () => {
    const { at = 0, until = Infinity, from = 0, rate = 1, volume = 1 } = heard();
    const time = frames.get() / fps;
    const seconds = time - at;
    const loud = typeof volume === "function" ? volume(seconds) : volume;
    audio.muted = seconds < 0 || time >= until;
    audio.volume = Math.min(1, Math.max(0, loud));
    audio.playbackRate = rate;
    if (!audio.muted) audio.currentTime = from + seconds * rate;
  };
  place();
  const stop = frames.subscribe(place);
  return () => {
    stop();
    audio.remove();
  };
}

/** A sound of the film: in the exported video, and in the preview while that plays with its sound turned on. */
export function Sound({ src, ...heard }: SoundProps) {
  const frames = useFrames();
  const { fps } = useVideoConfig();
  const latest = useRef<Heard>(heard);
  latest.current = heard;
  const { at, until, from, rate } = heard;
  useEffect(() => sounding(src, fps, frames, () => latest.current), [src, at, until, from, rate, fps, frames]);
  return null;
}
