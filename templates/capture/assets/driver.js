// What koda-capture calls in the page. Runs after virtual_clock.js and before any script of the page.
(() => {
  "use strict";
  const STALL = 600; // milliseconds of real time without an end after which timers of the composition are let go
  const BEAT = 100;
  const STEPWISE = "koda-stepwise"; // in the session's storage: it outlives the page that found out
  let current = -1;
  let stepwise = sessionStorage.getItem(STEPWISE) !== null;

  const describe = (error) =>
    error && typeof error === "object"
      ? { message: String(error.message ?? error), stack: String(error.stack ?? "") }
      : { message: String(error), stack: "" };

  /** Awaits a promise of the page, nudging the clock where nothing moves. */
  const patiently = async (promise) => {
    const clock = window.__kodaClock;
    let beats = 0;
    const beat = clock.real.setInterval(() => {
      if (++beats * BEAT >= STALL) clock.nudge();
    }, BEAT);
    try {
      return await promise;
    } finally {
      clock.real.clearInterval(beat);
    }
  };

  // Chromium moves what only changed its transform without looking again at the fraction of a pixel where it lies, so that
  // edges come out a little different after frame 54 than after frame 10. A clip that cuts nothing, put on the page and taken
  // off in turn, makes it look at everything anew. It reaches a whole picture beyond the page's box, which what is drawn larger
  // than it is laid out does not fit into.
  let clipped = false;
  const refresh = () => {
    clipped = !clipped;
    document.documentElement.style.clipPath = clipped ? "inset(-100vmax)" : "";
  };

  // Whether anything was seen to change since the frame before. What changes unseen, such as a rule of a style sheet or a shadow
  // tree, is for the compositor to find: who spares a picture asks it too.
  let stirred = true;
  const watch = new MutationObserver(() => (stirred = true));
  watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  // What moves by itself, or by a time that a script sets.
  const MOVING = "video, iframe, object, embed, animate, animateTransform, animateMotion, set";
  const animated = () => document.getAnimations().some(({ playState }) => playState !== "finished") || document.querySelector(MOVING) !== null;
  let moved = false;
  const look = () => {
    if (watch.takeRecords().length > 0) stirred = true;
    const moves = animated();
    if (moves || moved) stirred = true;
    moved = moves;
  };

  /** Waits until what was asked of the graphics processor is drawn: until then it has cost nothing that could be measured. */
  const drawn = () => {
    const gl = window.koda.canvas?.getContext("webgl2");
    gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  };

  // Nobody is there who could answer.
  Object.assign(window, { alert: () => undefined, confirm: () => false, prompt: () => null, print: () => undefined, open: () => null });

  const driver = {
    /** Waits for the page to set window.koda, so many milliseconds at most, and for its composition to be ready. */
    async ready(deadline) {
      const clock = window.__kodaClock;
      const began = new Event("").timeStamp;
      const present = await new Promise((done) => {
        const look = clock.real.setInterval(() => {
          if (!window.koda && new Event("").timeStamp - began < deadline) return;
          clock.real.clearInterval(look);
          done(Boolean(window.koda));
        }, 5);
      });
      if (!present) return { absent: true };
      try {
        await patiently(window.koda.ready);
        clock.settle();
        // A video that is sought before its first frame is drawn would be taken for drawn by that.
        await window.__kodaMedia.settle();
        current = 0;
        return { info: window.koda.info, contract: window.koda.contract };
      } catch (error) {
        return { error: window.koda.error ?? describe(error), info: window.koda.info };
      }
    },

    /** Shows a frame and answers what can be heard at it, and whether nothing was seen to change since the frame before; or
     * {reload: true} where only a fresh page can show it. */
    async goto(frame) {
      const clock = window.__kodaClock;
      const { fps } = window.koda.info;
      const time = (frame * 1000) / fps;
      if (time < clock.now - 1e-6 && clock.stateful) return { reload: true };
      // What runs by timers is stepped through, so that the page comes to the same state by a jump as frame by frame.
      let next = frame;
      if (frame > current + 1 && (stepwise || clock.stateful || clock.due(time))) next = current + 1;
      for (; next <= frame; next++) {
        const leapt = next > current + 1 && !clock.stateful;
        try {
          await patiently(window.koda.show(next));
          clock.settle();
          // Nothing of the composition's is waited for here, so that none of its timers is let go for it.
          await window.__kodaMedia.settle();
        } catch (error) {
          return { frame: next, error: window.koda.error ?? describe(error) };
        }
        look();
        if (stirred) refresh();
        watch.takeRecords();
        current = next;
        if (leapt && clock.stateful) {
          // Something has begun by now, and when is known only to who looks at every frame: a page that comes anew will.
          stepwise = true;
          sessionStorage.setItem(STEPWISE, "");
          return { reload: true };
        }
        if (window.koda.error) return { frame: next, error: window.koda.error };
      }
      // What changes from here on, before the next frame is asked for, counts as a change of that one.
      const still = !stirred;
      stirred = false;
      return { frame, sounds: window.__kodaMedia.sounds(), still };
    },

    /** Shows frames from here on without pictures, until one fails or the last is shown: each of them where time allows, else
     * evenly spread ones. Answers the next frame. */
    async sweep(from, to, milliseconds) {
      const began = new Event("").timeStamp;
      let frame = from;
      for (let shows = 1; frame < to; shows++) {
        const shown = await driver.goto(frame);
        if (shown.error || shown.reload) return shown;
        drawn();
        const spent = new Event("").timeStamp - began;
        if (spent >= milliseconds) return { frame: frame + 1 };
        frame += Math.max(1, Math.ceil(((to - frame) * (spent / shows)) / (milliseconds - spent)));
      }
      return { frame: to };
    },

    measure: () => window.koda.measure(),

    /** Has everything looked at anew, where something changed that was not seen from here. */
    refresh() {
      look();
      refresh();
      watch.takeRecords();
    },

    /** What drawing the frame now shown costs, in 3D; else null. */
    cost: () => window.koda.cost?.() ?? null,

    images: () =>
      [...document.images].filter((image) => image.complete && image.naturalWidth === 0 && image.currentSrc !== "").map((image) => image.currentSrc),
  };
  Object.defineProperty(window, "__kodaDriver", { value: Object.freeze(driver) });
})();
