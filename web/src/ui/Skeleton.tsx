import styles from "./Skeleton.module.css";

interface SkeletonProps {
  width?: string;
  height?: string;
  radius?: string;
}

/** A quiet block where something is about to be. */
export function Skeleton({ width = "100%", height = "1rem", radius }: SkeletonProps) {
  return (
    <span
      aria-hidden
      className={styles.block}
      style={{ width, height, ...(radius ? { borderRadius: radius } : {}) }}
    />
  );
}
