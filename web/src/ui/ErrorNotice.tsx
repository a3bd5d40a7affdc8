import { CircleAlert, RotateCw } from "lucide-react";
import { asApiError, sentence } from "../api/errors";
import { Button } from "./Button";
import { cx } from "./cx";
import styles from "./ErrorNotice.module.css";

interface ErrorNoticeProps {
  /** What could not be done, such as "Your projects could not be loaded". */
  title: string;
  error: unknown;
  onRetry?: () => void;
  retrying?: boolean;
  className?: string;
}

/** An error that says what happened, what to do, and offers to do it. */
export function ErrorNotice({ title, error, onRetry, retrying, className }: ErrorNoticeProps) {
  const { requestId, code } = asApiError(error);
  return (
    <div role="alert" className={cx(styles.root, className)}>
      <CircleAlert className={styles.icon} />
      <div className={styles.words}>
        <p className={styles.title}>{title}</p>
        <p className={styles.detail}>{sentence(error)}</p>
        {requestId && code === "internal" && (
          <p className={styles.request}>
            Request <code>{requestId}</code>
          </p>
        )}
      </div>
      {onRetry && (
        <Button size="sm" icon={<RotateCw />} onClick={onRetry} loading={retrying}>
          Try again
        </Button>
      )}
    </div>
  );
}
