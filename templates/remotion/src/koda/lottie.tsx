import lottie, { type AnimationItem } from "lottie-web/build/player/lottie_svg";
import { useEffect, useLayoutEffect, useRef, useState, type CSSProperties } from "react";
import { useCurrentFrame, useDelayRender, useVideoConfig } from "remotion";

/** A Lottie animation, as After Effects exports it with Bodymovin: https://lottie.github.io/lottie-spec/ */
export type LottieData = Record<string, unknown>;

interface LottieProps {
  /** A JSON file of `public/`, such as `staticFile("assets/logo.json")`; or what is in one. */
  src: string | LottieData;
  /** How fast it is played. */
  rate?: number;
  /** Begins anew when it is over; else its last frame stays. */
  loop?: boolean;
  style?: CSSProperties;
  className?: string;
}

/** A Lottie animation at the frame now shown, from where the sequence that it is in begins. */
export function Lottie({ src, rate = 1, loop = false, style, className }: LottieProps) {
  const frame = useCurrentFrame();
  const { fps } = useVideoConfig();
  const { delayRender, continueRender, cancelRender } = useDelayRender();
  const [data, setData] = useState<LottieData | null>(typeof src === "string" ? null : src);
  const box = useRef<HTMLDivElement>(null);
  const shown = useRef<AnimationItem | null>(null);

  useEffect(() => {
    if (typeof src !== "string") return setData(src);
    let wanted = true;
    const handle = delayRender(`Lottie ${src}`);
    read(src).then(
      (read) => {
        if (wanted) setData(read);
        continueRender(handle);
      },
      (error: unknown) => {
        if (wanted) cancelRender(error);
      },
    );
    return () => {
      wanted = false;
      continueRender(handle);
    };
  }, [src, delayRender, continueRender, cancelRender]);

  useLayoutEffect(() => {
    if (!data || !box.current) return;
    const before = new Set(document.body.children);
    const animationData = withoutFontFiles(data);
    const animation = lottie.loadAnimation({ container: box.current, renderer: "svg", loop: false, autoplay: false, animationData });
    shown.current = animation;
    // It measures fonts by words that it leaves behind.
    for (const left of [...document.body.children]) if (!before.has(left) && left.localName === "span") left.remove();
    return () => {
      shown.current = null;
      animation.destroy();
    };
  }, [data]);

  useLayoutEffect(() => {
    const animation = shown.current;
    if (!animation) return;
    const length = animation.totalFrames;
    const passed = (frame / fps) * rate * animation.frameRate;
    animation.goToAndStop(loop ? passed % length : Math.min(Math.max(0, passed), length - 1), true);
  }, [frame, fps, rate, loop, data]);

  return <div ref={box} style={style} className={className} />;
}

/**
 * A copy, which is written to while it is played and may be shown twice. Its fonts are those of the page: for files of theirs it would
 * wait by timers, and be blank until then.
 */
function withoutFontFiles(data: LottieData): LottieData {
  const copy = structuredClone(data) as LottieData & { fonts?: { list?: { fPath?: string; origin?: number }[] } };
  for (const font of copy.fonts?.list ?? []) {
    delete font.fPath;
    delete font.origin;
  }
  return copy;
}

async function read(src: string): Promise<LottieData> {
  const answer = await fetch(src);
  if (!answer.ok) throw new Error(`Cannot load ${src}: the file is missing. Files in public/ are addressed by staticFile().`);
  try {
    return (await answer.json()) as LottieData;
  } catch {
    throw new Error(`${src} is no Lottie animation: it is not JSON. Export it with Bodymovin, or unpack a .lottie file.`);
  }
}
