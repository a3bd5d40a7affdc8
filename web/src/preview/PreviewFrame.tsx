/** The only place where an iframe is rendered: a preview, on its own origin. */

import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { Preview } from "./controller";
import { parse } from "./protocol";
import styles from "./Stage.module.css";

interface PreviewFrameProps {
  preview: Preview;
  url: string;
  title: string;
}

/** Takes no pointer: gestures over it are the canvas' and the transport's. */
export function PreviewFrame({ preview, url, title }: PreviewFrameProps) {
  const ref = useRef<HTMLIFrameElement>(null);
  // What an animation plays by itself shall not be heard before somebody asks. A page keeps what it was allowed when it was loaded.
  const sound = useStore(preview.player.state, (it) => it.sound);
  const [asked, setAsked] = useState(sound);
  if (sound && !asked) setAsked(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another element is there once sound was asked for
  useEffect(() => {
    const frame = ref.current;
    if (!frame) return;
    const { origin } = new URL(url, location.href);
    // A preview on the canvas' own origin could read what is the canvas'.
    if (origin === location.origin) return;
    const onMessage = (event: MessageEvent<unknown>) => {
      if (event.source !== frame.contentWindow || event.origin !== origin) return;
      const message = parse(event.data);
      if (message) preview.receive(message);
    };
    window.addEventListener("message", onMessage);
    // Before the page is there, the window is a blank one of another origin.
    const onLoad = () =>
      preview.attach({ post: (message) => frame.contentWindow?.postMessage(message, origin) });
    frame.addEventListener("load", onLoad);
    frame.src = url;
    return () => {
      frame.removeEventListener("load", onLoad);
      window.removeEventListener("message", onMessage);
      preview.attach(null);
    };
  }, [preview, url, asked]);
  return (
    <iframe
      key={String(asked)}
      ref={ref}
      title={title}
      className={styles.frame}
      // It is on an origin of its own, which is what keeps it away from the canvas.
      sandbox="allow-scripts allow-same-origin"
      // What a person does on the canvas lets the page inside be heard; nobody can touch it itself.
      allow={asked ? "autoplay; fullscreen" : "fullscreen"}
      referrerPolicy="no-referrer"
      tabIndex={-1}
    />
  );
}
