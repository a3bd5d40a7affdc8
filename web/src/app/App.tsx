import { lazy, Suspense } from "react";
import { Link, Route, Switch } from "wouter";
import { Dashboard } from "../dashboard/Dashboard";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { Spinner } from "../ui/Spinner";
import { Toaster } from "../ui/Toast";
import { TooltipProvider } from "../ui/Tooltip";
import styles from "./App.module.css";
import { ErrorBoundary } from "./ErrorBoundary";

const EditorPage = lazy(() => import("../canvas/EditorPage"));

export function App() {
  return (
    <TooltipProvider>
      <ErrorBoundary>
        <Suspense
          fallback={
            <main className={styles.center}>
              <Spinner size={22} label="Loading the editor" />
            </main>
          }
        >
          <Switch>
            <Route path="/">
              <Dashboard />
            </Route>
            <Route path="/p/:id">{({ id }) => <EditorPage id={id} />}</Route>
            <Route>
              <main className={styles.center}>
                <EmptyState
                  title="There is nothing here"
                  action={
                    <Link href="/" asChild>
                      <Button variant="primary">All projects</Button>
                    </Link>
                  }
                >
                  The address leads nowhere.
                </EmptyState>
              </main>
            </Route>
          </Switch>
        </Suspense>
      </ErrorBoundary>
      <Toaster />
    </TooltipProvider>
  );
}
