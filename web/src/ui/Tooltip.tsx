import { Tooltip as BaseTooltip } from "@base-ui/react/tooltip";
import type { ReactElement, ReactNode } from "react";
import { Kbd } from "./Kbd";
import { usePopupContainer } from "./PopupContainer";
import styles from "./Tooltip.module.css";

interface TooltipProps {
  label: ReactNode;
  shortcut?: string;
  side?: "top" | "bottom" | "left" | "right";
  /** A single element that takes a ref and handlers. */
  children: ReactElement<Record<string, unknown>>;
}

export function Tooltip({ label, shortcut, side = "bottom", children }: TooltipProps) {
  const container = usePopupContainer();
  return (
    <BaseTooltip.Root>
      <BaseTooltip.Trigger render={children} />
      <BaseTooltip.Portal container={container}>
        <BaseTooltip.Positioner
          className={styles.positioner}
          side={side}
          sideOffset={6}
          collisionPadding={8}
        >
          <BaseTooltip.Popup className={styles.popup}>
            {label}
            {shortcut && <Kbd keys={shortcut} plain />}
          </BaseTooltip.Popup>
        </BaseTooltip.Positioner>
      </BaseTooltip.Portal>
    </BaseTooltip.Root>
  );
}

/** Once around the app: tooltips next to each other follow without a delay. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  return (
    <BaseTooltip.Provider delay={500} closeDelay={0}>
      {children}
    </BaseTooltip.Provider>
  );
}
