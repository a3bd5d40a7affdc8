import styles from "./Wordmark.module.css";

/** The name, with its mark: a K whose foot has begun to roll. */
export function Wordmark() {
  return (
    <span className={styles.root}>
      <svg viewBox="0 0 20 20" width="22" height="22" aria-hidden="true">
        <path d="M4 2.5v15" className={styles.stem} />
        <path d="M15.6 2.8 7.4 10.6" className={styles.arm} />
        <circle cx="13.2" cy="15" r="3" className={styles.dot} />
      </svg>
      Koda
    </span>
  );
}
