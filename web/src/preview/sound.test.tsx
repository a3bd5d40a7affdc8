import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import type { Preview } from "./controller";
import { onPlayerKey, previewKeys } from "./keys";
import { PreviewFrame } from "./PreviewFrame";
import { createPlayer } from "./player";
import { parse, type ToPreview } from "./protocol";
import { SoundControl } from "./SoundControl";
import { soundOf } from "./sound";
import { INFO, plays, ready } from "./testing";

const heard = (sound: boolean, at?: number) => ({ ...plays(3, at), sound, audible: true });
const press = { key: "m", shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };
const button = () => screen.getByRole("button", { name: "Sound" }) as HTMLButtonElement;

it("is off until somebody asks, by the button or its key", async () => {
  const user = userEvent.setup();
  const { player, sent } = ready();
  render(<SoundControl player={player} />);
  act(() => player.receive(heard(false)));
  expect(button().getAttribute("aria-pressed")).toBe("false");
  expect(screen.queryByRole("slider")).toBeNull();
  await user.click(button());
  expect(sent.at(-1)).toEqual({ type: "sound", on: true, volume: 1 });
  expect(button().getAttribute("aria-pressed")).toBe("true");
  act(() => void onPlayerKey(player, press));
  expect(sent.at(-1)).toEqual({ type: "sound", on: false, volume: 1 });
});

it("is allowed to the page only once somebody asked", () => {
  const { player } = ready();
  const preview = { player, attach: () => {}, receive: () => {} } as unknown as Preview;
  render(<PreviewFrame preview={preview} url="http://abc.preview.localhost:3000/" title="A" />);
  const frame = () => screen.getByTitle("A");
  const first = frame();
  expect(first.getAttribute("allow")).toBe("fullscreen");
  act(() => player.setSound(true));
  expect(frame().getAttribute("allow")).toBe("autoplay; fullscreen");
  // What a page may do is decided when it is loaded.
  expect(frame()).not.toBe(first);
  const second = frame();
  act(() => player.setSound(false));
  expect(frame()).toBe(second);
});

it("is remembered though the page first says how it begins", () => {
  const memory = soundOf("ses_before");
  memory.keep({ on: true, volume: 0.5 });
  const sent: ToPreview[] = [];
  const player = createPlayer((message) => sent.push(message), memory);
  player.receive({ ...heard(false), frame: 0 });
  expect(player.state.getState().sound).toBe(true);
  player.receive({ type: "ready", info: INFO });
  expect(sent).toContainEqual({ type: "sound", on: true, volume: 0.5 });
});

it("has its volume beside it while it is on, and not in a small node", async () => {
  const user = userEvent.setup();
  const { player, sent, frame } = ready();
  const onKeyDown = previewKeys({ player, guides: [], onFullscreen: () => {} });
  const area = (compact: boolean) => (
    <section aria-label="Area" onKeyDown={onKeyDown}>
      <SoundControl player={player} compact={compact} />
    </section>
  );
  const { rerender } = render(area(false));
  act(() => player.receive(heard(false)));
  await user.click(button());
  const slider = screen.getByRole("slider", { name: "Volume" });
  expect(slider.getAttribute("aria-valuetext")).toBe("100 %");
  act(() => slider.focus());
  await user.keyboard("{ArrowLeft}{ArrowLeft}");
  expect(sent.at(-1)).toEqual({ type: "sound", on: true, volume: 0.9 });
  // The arrows are the slider's while it has focus.
  expect(frame()).toBe(3);
  rerender(area(true));
  expect(screen.queryByRole("slider")).toBeNull();
});

it("cannot be turned on where there is nothing to hear, and says so", () => {
  const { player, sent } = ready();
  render(<SoundControl player={player} />);
  act(() => player.receive({ ...heard(false), audible: false }));
  expect(button().disabled).toBe(true);
  expect(button().title).toMatch(/nothing to hear/);
  // The key is the preview's all the same: elsewhere it would add something to the canvas.
  expect(onPlayerKey(player, press)).toBe(true);
  expect(sent).toEqual([]);
});

it("can be turned off though an edit took away what there was to hear", () => {
  const { player } = ready();
  render(<SoundControl player={player} />);
  act(() => {
    player.receive(heard(false));
    player.setSound(true);
    player.receive({ ...heard(true), audible: false });
  });
  expect(button().disabled).toBe(false);
});

it("is told again to a page that was loaded anew", () => {
  const { player, sent } = ready();
  player.receive(heard(false));
  player.setSound(true, 0.3);
  player.reset();
  // The new page begins in silence, and does not know yet.
  player.receive({ ...heard(false, 0), frame: 0 });
  sent.length = 0;
  player.receive({ type: "ready", info: INFO });
  expect(sent[0]).toEqual({ type: "sound", on: true, volume: 0.3 });
  player.receive(heard(false, 0));
  expect(player.state.getState()).toMatchObject({ sound: true, volume: 0.3 });
});

it("is remembered for each preview, and its volume for all, as long as the page is open", () => {
  const sent: ToPreview[] = [];
  const show = (name: string) => createPlayer((message) => sent.push(message), soundOf(name));
  show("one").setSound(true, 0.5);
  sent.length = 0;
  const again = show("one");
  expect(again.state.getState()).toMatchObject({ sound: true, volume: 0.5 });
  again.receive({ type: "ready", info: INFO });
  expect(sent).toEqual([{ type: "sound", on: true, volume: 0.5 }]);
  expect(show("another").state.getState()).toMatchObject({ sound: false, volume: 0.5 });
});

it("is left alone by a page that knows nothing of it", () => {
  const old = { koda: 1, type: "state", frame: 1, playing: true, loop: true, rate: 1, heard: 9 };
  const message = parse(old);
  if (!message) throw new Error("it was not read");
  expect(message).not.toHaveProperty("sound");
  const { player } = ready();
  player.receive(message);
  expect(player.state.getState()).toMatchObject({ sound: false, audible: false });
  expect(parse({ ...old, sound: true, audible: 1 })).toMatchObject({ sound: true });
});
