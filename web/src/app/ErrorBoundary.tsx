import { Component, type ReactNode } from "react";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import styles from "./App.module.css";

interface State {
  error: Error | null;
}

/** Where drawing the page failed: says so instead of a white page. Nothing is lost, since all state is saved. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    // A new version was deployed while this page was open, and its files are gone.
    const outdated = /dynamically imported module|module script/i.test(error.message);
    return (
      <main className={styles.center} role="alert">
        <EmptyState
          title={outdated ? "There is a newer version of Koda" : "Something broke on this page"}
          action={
            <Button variant="primary" onClick={() => location.reload()}>
              Reload
            </Button>
          }
        >
          {outdated
            ? "Reload to use it. Your work is saved."
            : `Your work is saved. Reload to go on. (${error.message})`}
        </EmptyState>
      </main>
    );
  }
}
