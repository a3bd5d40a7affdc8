import type { Page } from "./page";
import { reserveBelow } from "./stage";
import type { Transport } from "./transport";

const height = 52;

/** A play button, a scrubber and a frame counter, for a page that is opened by itself rather than inside Koda. */
export function addStandaloneControls(transport: Transport, page: Page): void {
  reserveBelow(height);
  const bar = document.createElement("div");
  Object.assign(bar.style, {
    position: "fixed",
    inset: "auto 0 0 0",
    height: `${height}px`,
    display: "flex",
    alignItems: "center",
    gap: "14px",
    padding: "0 18px",
    boxSizing: "border-box",
    background: "#12141b",
    color: "#c7ccd8",
    font: "13px ui-monospace, monospace",
  });
  const button = createButton(() => transport.toggle());
  const speaker = createButton(() => transport.sound(!transport.state.sound));
  const scrubber = document.createElement("input");
  scrubber.type = "range";
  scrubber.min = "0";
  scrubber.setAttribute("aria-label", "Frame");
  Object.assign(scrubber.style, { flex: "1", accentColor: "#7c5cff" });
  scrubber.oninput = () => void transport.seek(Number(scrubber.value));
  const counter = document.createElement("span");
  Object.assign(counter.style, { minWidth: "110px", textAlign: "right" });
  bar.append(button, scrubber, counter, speaker);
  document.body.append(bar);
  transport.onChange(({ frame, playing, sound, audible }) => {
    const last = page.info.durationInFrames - 1;
    scrubber.max = String(last);
    scrubber.value = String(frame);
    button.textContent = playing ? "Pause" : "Play";
    counter.textContent = `${frame} / ${last}`;
    speaker.textContent = sound ? "Mute" : "Sound";
    speaker.hidden = !audible;
  });
}

function createButton(press: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  Object.assign(button.style, { width: "64px", height: "30px", border: "0", borderRadius: "8px", background: "#2a2f3d", color: "inherit", cursor: "pointer" });
  button.onclick = press;
  return button;
}
