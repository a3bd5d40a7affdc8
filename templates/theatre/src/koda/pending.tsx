import { Component, Suspense, useLayoutEffect, type ReactNode } from "react";

let waiting = 0;

/** True while something in the composition is suspended. */
export function suspended(): boolean {
  return waiting > 0;
}

function Waiting() {
  useLayoutEffect(() => {
    waiting += 1;
    return () => {
      waiting -= 1;
    };
  }, []);
  return null;
}

/** Counts as suspended while anything below it is. */
export function Settling({ children }: { children: ReactNode }) {
  return <Suspense fallback={<Waiting />}>{children}</Suspense>;
}

interface BoundaryProps {
  onError: (error: unknown) => void;
  children: ReactNode;
}

/** Keeps what a composition throws from taking the page with it. Give it a new key to try again. */
export class Boundary extends Component<BoundaryProps, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: unknown) {
    this.props.onError(error);
  }

  override render() {
    return this.state.failed ? null : this.props.children;
  }
}
