import { Tabs as BaseTabs } from "@base-ui/react/tabs";
import type { ReactNode } from "react";
import { cx } from "./cx";
import styles from "./Tabs.module.css";

export interface TabItem<T extends string> {
  value: T;
  label: string;
  icon?: ReactNode;
  /** A count or a dot after the label. */
  badge?: ReactNode;
  disabled?: boolean;
}

interface TabsProps<T extends string> {
  value: T;
  onChange: (value: T) => void;
  tabs: readonly TabItem<T>[];
  /** The accessible name of the list. */
  label: string;
  /** `TabPanel`s, anywhere below. */
  children?: ReactNode;
  className?: string;
  listClassName?: string;
  /** Beside the list, at the end. */
  end?: ReactNode;
}

export function Tabs<T extends string>({
  value,
  onChange,
  tabs,
  label,
  children,
  className,
  listClassName,
  end,
}: TabsProps<T>) {
  return (
    <BaseTabs.Root
      value={value}
      onValueChange={(next) => onChange(next as T)}
      className={cx(styles.root, className)}
    >
      <div className={cx(styles.bar, listClassName)}>
        <BaseTabs.List className={styles.list} aria-label={label} activateOnFocus>
          {tabs.map((tab) => (
            <BaseTabs.Tab
              key={tab.value}
              value={tab.value}
              disabled={tab.disabled}
              className={styles.tab}
            >
              {tab.icon}
              {tab.label}
              {tab.badge !== undefined && <span className={styles.badge}>{tab.badge}</span>}
            </BaseTabs.Tab>
          ))}
          <BaseTabs.Indicator className={styles.indicator} />
        </BaseTabs.List>
        {end}
      </div>
      {children}
    </BaseTabs.Root>
  );
}

interface TabPanelProps {
  value: string;
  children: ReactNode;
  className?: string;
  /** Keeps the panel's state while another is shown. */
  keepMounted?: boolean;
}

export function TabPanel({ value, children, className, keepMounted = false }: TabPanelProps) {
  return (
    <BaseTabs.Panel value={value} keepMounted={keepMounted} className={cx(styles.panel, className)}>
      {children}
    </BaseTabs.Panel>
  );
}
