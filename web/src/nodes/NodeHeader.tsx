import type { ComponentType, ReactNode } from "react";
import styles from "./NodeHeader.module.css";

interface NodeHeaderProps {
  Icon: ComponentType<{ size?: number | string; className?: string }>;
  title: ReactNode;
  /** Beside the title, quietly. */
  detail?: ReactNode;
  /** Buttons at the end; they show when the node is hovered, focused or selected. */
  children?: ReactNode;
}

/** The strip by which a node is dragged. */
export function NodeHeader({ Icon, title, detail, children }: NodeHeaderProps) {
  return (
    <header className={styles.header}>
      <Icon size={14} className={styles.icon} />
      <span className={styles.title}>{title}</span>
      {detail && <span className={styles.detail}>{detail}</span>}
      {children && <span className={styles.actions}>{children}</span>}
    </header>
  );
}
