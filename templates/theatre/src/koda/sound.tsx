import { useEffect, useRef } from "react";
import { capturing } from "./environment";
import { useFrames, useVideoConfig } from "./frame";

interface SoundProps {
  /** A file of `public/`, such as "/assets/music.mp3". */
  src: string;
  /** When it begins in the film, in seconds. */
  at?: number;
  /** When it ends in the film, in seconds; by default when the file does. */
  until?: number;
  /** Where in the file it begins, in seconds. */
  from?: number;
  /** How loud, 0 to 1: a number, or a function of the seconds since it began. */
  volume?: number | ((seconds: number) => number);
}

/** A sound of the film: in the exported video, and in the preview while that plays with its sound turned on. */
export function Sound({ src, at = 0, until = Infinity, from = 0, volume = 1 }: SoundProps) {
  const frames = useFrames();
  const { fps } = useVideoConfig();
  const loudness = useRef(volume);
  loudness.current = volume;
  useEffect(() => {
    // It only says what is to be heard now: a capture reads that of every frame, and the preview's soundtrack plays it.
    const audio = document.createElement("audio");
    if (!capturing) audio.preload = "none";
    audio.src = src;
    document.body.append(audio);
    const place = () => {
      const time = frames.get() / fps;
      const seconds = time - at;
      const loud = typeof loudness.current === "function" ? loudness.current(seconds) : loudness.current;
      audio.muted = seconds < 0 || time >= until;
      audio.volume = Math.min(1, Math.max(0, loud));
      if (!audio.muted) audio.currentTime = from + seconds;
    };
    place();
    const stop = frames.subscribe(place);
    return () => {
      stop();
      audio.remove();
    };
  }, [src, at, until, from, fps, frames]);
  return null;
}
