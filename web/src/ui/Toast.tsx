import { Toast as BaseToast } from "@base-ui/react/toast";
import { CircleAlert, CircleCheck, Info, X } from "lucide-react";
import { sentence } from "../api/errors";
import { Button, IconButton } from "./Button";
import styles from "./Toast.module.css";

type Tone = "info" | "success" | "error";

interface ToastInput {
  title: string;
  detail?: string;
  tone?: Tone;
  action?: { label: string; onClick: () => void };
  /** Milliseconds; 0 stays until it is closed. */
  timeout?: number;
  onClose?: () => void;
}

const manager = BaseToast.createToastManager<{ tone: Tone }>();

/** Short notes at the edge of the screen. Works outside React too. */
export const toast = {
  /** Gives an id for `close`. */
  show({ title, detail, tone = "info", action, timeout, onClose }: ToastInput): string {
    const id: string = manager.add({
      title,
      description: detail,
      priority: tone === "error" ? "high" : "low",
      timeout: timeout ?? (action || tone === "error" ? 8000 : 4500),
      data: { tone },
      ...(onClose ? { onClose } : {}),
      ...(action
        ? {
            actionProps: {
              children: action.label,
              onClick: () => {
                action.onClick();
                manager.close(id);
              },
            },
          }
        : {}),
    });
    return id;
  },
  success: (title: string, detail?: string) =>
    toast.show({ title, tone: "success", ...(detail ? { detail } : {}) }),
  /** What could not be done, and why. */
  error: (title: string, thrown?: unknown, action?: ToastInput["action"]) =>
    toast.show({
      title,
      tone: "error",
      ...(thrown === undefined ? {} : { detail: sentence(thrown) }),
      ...(action ? { action } : {}),
    }),
  close: (id: string) => manager.close(id),
};

/** Once in the app. */
export function Toaster() {
  return (
    <BaseToast.Provider toastManager={manager} limit={4}>
      <BaseToast.Portal>
        <BaseToast.Viewport className={styles.viewport}>
          <List />
        </BaseToast.Viewport>
      </BaseToast.Portal>
    </BaseToast.Provider>
  );
}

const ICONS = { info: Info, success: CircleCheck, error: CircleAlert };

function List() {
  const { toasts } = BaseToast.useToastManager<{ tone: Tone }>();
  return toasts.map((it) => {
    const tone = it.data?.tone ?? "info";
    const Icon = ICONS[tone];
    return (
      <BaseToast.Root
        key={it.id}
        toast={it}
        className={styles.toast}
        swipeDirection={["right", "down"]}
      >
        <BaseToast.Content className={styles.content}>
          <Icon className={styles[tone]} />
          <div className={styles.words}>
            <BaseToast.Title className={styles.title} render={<p />} />
            <BaseToast.Description className={styles.detail} />
          </div>
          {it.actionProps && <BaseToast.Action render={<Button size="sm" />} />}
          <BaseToast.Close
            render={
              <IconButton label="Dismiss" size="sm">
                <X />
              </IconButton>
            }
          />
        </BaseToast.Content>
      </BaseToast.Root>
    );
  });
}
