import { memo, useEffect, useRef, useState } from "react";
import type { ProjectSummary } from "../api/types";
import { bounds, boxOf, type Document, SIZES } from "../graph/document";
import styles from "./Thumbnail.module.css";
import { loadThumbnail, type Picture } from "./thumbnails";

/** A project at a glance: its newest render, or its canvas in small. */
export const Thumbnail = memo(function Thumbnail({ project }: { project: ProjectSummary }) {
  const box = useRef<HTMLDivElement>(null);
  const [picture, setPicture] = useState<Picture | null>(null);
  const { id, revision } = project;

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let current = true;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return;
        observer.disconnect();
        void loadThumbnail(id, revision).then((it) => {
          if (current) setPicture(it);
        });
      },
      { rootMargin: "200px" },
    );
    observer.observe(element);
    return () => {
      current = false;
      observer.disconnect();
    };
  }, [id, revision]);

  return (
    <div ref={box} className={styles.box} aria-hidden>
      {picture?.document && <Sketch document={picture.document} />}
      {picture?.poster && (
        <img
          className={styles.poster}
          src={picture.poster}
          alt=""
          loading="lazy"
          onError={(event) => event.currentTarget.remove()}
        />
      )}
    </div>
  );
});

/** Above this many nodes only their outlines are drawn. */
const DETAILED = 60;
const SKETCHED = 600;
/** Where lines of text are, and how long. */
const LINES = [
  [0.36, 0.9],
  [0.54, 0.74],
  [0.72, 0.5],
] as const;

/** The canvas without its words. */
function Sketch({ document }: { document: Document }) {
  const shown = document.nodes.slice(0, SKETCHED);
  const detailed = shown.length <= DETAILED;
  const frame = bounds(shown.map(boxOf));
  if (!frame) return <div className={styles.blank} />;
  const least = 900;
  const pad = 90;
  const width = Math.max(frame.width + pad * 2, least);
  const height = Math.max(frame.height + pad * 2, (least * 10) / 16);
  const x = frame.x - (width - frame.width) / 2;
  const y = frame.y - (height - frame.height) / 2;
  const byId = new Map(shown.map((it) => [it.id, boxOf(it)]));
  return (
    <svg className={styles.sketch} viewBox={`${x} ${y} ${width} ${height}`}>
      <title>Sketch of the canvas</title>
      {document.edges.map((edge) => {
        const from = byId.get(edge.source);
        const to = byId.get(edge.target);
        if (!from || !to) return null;
        const [x1, y1, x2, y2] = [from.x + from.width, from.y + 40, to.x, to.y + 40];
        const bend = Math.max(60, Math.abs(x2 - x1) / 2);
        return (
          <path
            key={edge.id}
            className={styles.edge}
            d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
          />
        );
      })}
      {shown.map((node) => {
        const box = boxOf(node);
        const inset = 22;
        return (
          <g key={node.id} className={styles[node.type]}>
            <rect {...box} rx={node.type === "animation" ? 26 : 20} className={styles.node} />
            {detailed && node.type === "animation" && (
              <rect
                x={box.x + inset}
                y={box.y + inset}
                width={box.width - inset * 2}
                height={Math.min((box.width - inset * 2) * 0.5625, box.height - inset * 2)}
                rx={14}
                className={styles.screen}
              />
            )}
            {detailed &&
              (node.type === "text" || node.type === "note") &&
              LINES.map(([share, length]) => (
                <rect
                  key={share}
                  x={box.x + inset}
                  y={box.y + box.height * share - 7}
                  width={(box.width - inset * 2) * length}
                  height={14}
                  rx={7}
                  className={styles.line}
                />
              ))}
            {detailed && node.type === "media" && (
              <circle
                cx={box.x + box.width / 2}
                cy={box.y + box.height / 2}
                r={Math.min(box.width, box.height, SIZES.media.width) / 6}
                className={styles.line}
              />
            )}
          </g>
        );
      })}
    </svg>
  );
}
