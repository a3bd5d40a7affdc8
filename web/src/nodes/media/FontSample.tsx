import { useEffect, useState } from "react";
import { api } from "../../api/client";
import type { Asset } from "../../api/types";
import styles from "./MediaNode.module.css";

/** A few letters in an uploaded font. */
export function FontSample({ asset }: { asset: Asset }) {
  const family = `asset-${asset.id}`;
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading");
  useEffect(() => {
    const face = new FontFace(family, `url(${api.assets.contentUrl(asset.id)})`);
    let current = true;
    face.load().then(
      () => {
        document.fonts.add(face);
        if (current) setState("ready");
      },
      () => current && setState("failed"),
    );
    return () => {
      current = false;
      document.fonts.delete(face);
    };
  }, [family, asset.id]);
  if (state === "failed")
    return <div className={styles.empty}>This font cannot be shown here.</div>;
  return (
    <div
      className={styles.font}
      style={state === "ready" ? { fontFamily: `"${family}"` } : { opacity: 0.3 }}
    >
      <span>Aa</span>
      <small>The quick brown fox 0123456789</small>
    </div>
  );
}
