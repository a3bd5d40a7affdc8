// Frames as pixels, for renders: the picture is drawn into a canvas and read there, and a worker writes it into a ring of slots, a
// file of the origin's private file system, which koda-capture reads from the profile. That costs neither a screenshot nor a
// socket. Runs after driver.js.
//
// - 2D: the stage is moved, with its state, into a canvas that draws its own children (html-in-canvas:
//   https://github.com/WICG/html-in-canvas). What is to be drawn is taken down here (captureElementImage), and drawn by the worker
//   (drawElementImage) while the page makes the next frame. Where the stage is let go again it goes back to where it was.
// - 3D: the composition's own canvas is read in the task that drew it.
//
// What is said to koda-capture goes through the binding __kodaTell: {"paint":true} wants a frame of the compositor, and
// {"shows":i} says that the i-th of the frames asked for is about to be shown, and {"index":i,"slot":s,"sounds":…} that it lies in
// slot s until free(s), or without a slot that it is as the one before.
(() => {
  "use strict";
  const tell = (message) => window.__kodaTell(JSON.stringify(message));
  const stage = () => window.koda.stage ?? document.getElementById("stage");
  /** What html-in-canvas leaves blank or cannot be made to wait. */
  const EMBEDDED = "iframe, object, embed, audio[controls]";
  const BEAT = 8; // milliseconds between two frames of the compositor while a frame of the composition is waited for
  const UNSEEN = new Set(["AUDIO", "SCRIPT", "STYLE", "LINK", "META", "TEMPLATE", "NOSCRIPT"]);

  // Of a canvas within the page html-in-canvas draws what is on it where the processor drew that; what a graphics library drew, or a
  // worker, it leaves blank.
  const elsewhere = new WeakMap(); // canvas → how it is drawn
  const { prototype } = HTMLCanvasElement;
  const { getContext, transferControlToOffscreen } = prototype;
  prototype.getContext = function (kind, ...more) {
    const context = getContext.call(this, kind, ...more);
    if (context && kind !== "2d") elsewhere.set(this, kind);
    return context;
  };
  prototype.transferControlToOffscreen = function () {
    elsewhere.set(this, "worker");
    return transferControlToOffscreen.call(this);
  };

  // What lies in a shadow tree is not found from outside of it.
  const shadows = new Set();
  const { attachShadow } = Element.prototype;
  Element.prototype.attachShadow = function (options) {
    const root = attachShadow.call(this, options);
    shadows.add(root);
    return root;
  };
  const trees = (on) => [on, ...[...shadows].filter(({ host }) => host.isConnected)];

  const stands = ({ translate, transform }) => translate === "none" && transform === "none";
  const flows = (canvas) => {
    const style = getComputedStyle(canvas);
    return style.position === "static" && stands(style);
  };

  /** What of a tree cannot be streamed, or null. */
  const within = (tree) => {
    const embedded = tree.querySelector(EMBEDDED);
    if (embedded) return `there is a <${embedded.localName}> in it`;
    for (const canvas of tree.querySelectorAll("canvas")) {
      if (elsewhere.has(canvas)) return `there is a <canvas> in it that is drawn by ${elsewhere.get(canvas)}`;
      if (tree instanceof ShadowRoot) return "there is a <canvas> in a shadow tree in it";
      // What is moved by nothing lies above what is in the flow of the page, and this canvas would not.
      if (flows(canvas)) return "there is a <canvas> in it that lies in the flow of the page";
      const { width, height, clientWidth, clientHeight, clientLeft, clientTop } = canvas;
      if (width !== clientWidth || height !== clientHeight || clientLeft || clientTop) return "there is a <canvas> in it that is not shown in its own size";
    }
    return null;
  };

  /** Whether the page shows something that is not the stage, or the canvas that it is in. */
  const beside = (canvas) => [...document.body.children].some((element) => !UNSEEN.has(element.tagName) && element !== stage() && element !== canvas);

  /** Why frames of what is shown now cannot be streamed, or null. */
  const obstacle = (canvas) => {
    const on = stage();
    if (window.koda.canvas) {
      const canvas = window.koda.canvas;
      const alone = on.children.length === 1 && on.firstElementChild === canvas && on.childNodes.length === 1;
      return alone ? null : "something lies beside the canvas";
    }
    if (beside(canvas)) return "something lies outside of the stage";
    for (const tree of trees(on)) {
      const why = within(tree);
      if (why) return why;
    }
    return null;
  };

  /** A canvas around the stage that draws it. */
  class Framed {
    constructor(width, height, transparent) {
      const on = stage();
      this.place = document.createComment("stage");
      this.sheet = document.createElement("div");
      this.canvas = document.createElement("canvas");
      this.canvas.setAttribute("layoutsubtree", "");
      Object.assign(this.canvas, { width, height });
      // Where it can be seen: out of sight nothing of it is painted.
      this.canvas.style.cssText = `position:fixed;left:0;top:0;width:${width}px;height:${height}px`;
      const ground = transparent ? "transparent" : ground_color();
      this.sheet.style.cssText = `position:relative;overflow:hidden;width:${width}px;height:${height}px;background:${ground}`;
      on.before(this.place);
      document.body.append(this.canvas);
      this.canvas.append(this.sheet);
      // What has no style yet counts as not rendered: CSS animations that are moved into it would begin anew.
      window.__kodaClock.settle();
      this.sheet.moveBefore(on, null);
      this.moved = new Set();
      this.stale = true;
      this.canvas.onpaint = () => {
        this.stale = !this.painted;
        this.painted?.();
        this.painted = null;
      };
    }

    /** Whether the compositor finds nothing to paint anew since pixels were last read. */
    async unchanged() {
      const { real } = window.__kodaClock;
      tell({ paint: true });
      // Painting comes after what was asked for the frame, and before the next task.
      await new Promise((done) => real.requestAnimationFrame(done));
      await new Promise((done) => real.setTimeout(done, 0));
      return !this.stale;
    }

    /** The stage as it is now, for the worker to draw: rows from the top. */
    frame() {
      return new Promise((done, failed) => {
        this.painted = () => {
          try {
            done({ image: this.canvas.captureElementImage(this.sheet), blurred: blurred(this.sheet) });
          } catch (error) {
            failed(error);
          }
        };
        for (const canvas of this.sheet.getElementsByTagName("canvas")) this.put(canvas);
        this.canvas.requestPaint();
        tell({ paint: true });
      });
    }

    /** A canvas in the page would be drawn where what it lies in begins, and not where it lies, unless it is moved: by nothing. */
    put(canvas) {
      if (!stands(getComputedStyle(canvas))) return;
      canvas.style.translate = "0px";
      this.moved.add(canvas);
    }

    close() {
      for (const canvas of this.moved) canvas.style.translate = "";
      this.place.parentNode.moveBefore(stage(), this.place);
      this.place.remove();
      this.canvas.remove();
    }
  }

  /** The canvas of a 3D composition. */
  class Drawn {
    constructor(width, height) {
      this.gl = window.koda.canvas.getContext("webgl2");
      this.size = [width, height];
      this.spare = [];
      const { drawingBufferWidth, drawingBufferHeight } = this.gl;
      if (drawingBufferWidth !== width || drawingBufferHeight !== height) throw new Error("the canvas has another size than the picture");
    }

    /** The pixels last drawn: RGBA, rows from the bottom. */
    async frame() {
      const { gl } = this;
      const pixels = this.spare.pop() ?? new Uint8Array(this.size[0] * this.size[1] * 4);
      gl.bindFramebuffer(gl.FRAMEBUFFER, null);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
      gl.readPixels(0, 0, ...this.size, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
      return { pixels };
    }

    /** What a canvas draws is seen by nobody else. */
    async unchanged() {
      return false;
    }

    close() {}
  }

  const BLUR = /blur\(|drop-shadow\(|var\(/;
  const BLURRING = "feGaussianBlur, feDropShadow, feMorphology, feConvolveMatrix, feDisplacementMap";
  const styled = ({ style }) => BLUR.test(style?.filter) || BLUR.test(style?.backdropFilter);
  const ruled = (rule) => styled(rule) || [...(rule.cssRules ?? [])].some(ruled);
  const blurs = (sheet) => {
    try {
      return [...sheet.cssRules].some(ruled);
    } catch {
      return false; // Of another origin: it cannot be read.
    }
  };
  /** Whether something in it is probably blurred. That decides how it is drawn fastest, and must be the same whatever was shown before. */
  const blurred = (element) =>
    element.querySelector(BLURRING) !== null ||
    [...document.styleSheets, ...document.adoptedStyleSheets].some(blurs) ||
    // Not by a selector of the attribute: the browser would put together the text of every style.
    Array.prototype.some.call(element.getElementsByTagName("*"), styled);

  const ground_color = () => {
    const colors = [document.documentElement, document.body].map((element) => getComputedStyle(element).backgroundColor);
    return colors.findLast((color) => color !== "rgba(0, 0, 0, 0)") ?? "#fff";
  };

  let source = null;
  let worker = null;
  let ring = "";
  let free = [];
  let writing = 0; // frames that the worker has not written yet
  let wake = () => undefined;
  let broken = null;

  const slotFree = async () => {
    while (free.length === 0 && !broken) await new Promise((done) => (wake = done));
    return free.pop();
  };

  /** Waits for what may need the compositor, such as the frame of a video. */
  const pumped = async (promise) => {
    const { real } = window.__kodaClock;
    const beat = real.setInterval(() => tell({ paint: true }), BEAT);
    try {
      return await promise;
    } finally {
      real.clearInterval(beat);
    }
  };

  const stream = {
    /** Why frames cannot be streamed here, or null. */
    obstacle() {
      if (!window.koda.canvas) {
        if (!("captureElementImage" in HTMLCanvasElement.prototype)) return "this browser does not draw elements into canvases";
      }
      return obstacle();
    },

    /** Makes the ring, and takes the stage over; or answers {reload: true} where only a fresh page's can be: a transition that is
     * under way would be lost. */
    async open({ width, height, slots, transparent, token }) {
      const { now, stateful } = window.__kodaClock;
      if (now > 0 && stateful) return { reload: true };
      source = window.koda.canvas ? new Drawn(width, height) : new Framed(width, height, transparent);
      // In place of its name koda-capture puts the file.
      worker = new Worker(URL.createObjectURL(new Blob(["writer.js"], { type: "text/javascript" })));
      const size = width * height * 4;
      const first = new Promise((done) => (worker.onmessage = ({ data }) => done(data)));
      worker.onerror = (event) => {
        broken = event.message || "the writer failed";
        wake();
      };
      ring = token;
      const canvas = source.canvas && transferControlToOffscreen.call(source.canvas);
      const orders = { name: ring, slots, size, token: new TextEncoder().encode(token), canvas, width, height, transparent };
      worker.postMessage(orders, canvas ? [canvas] : []);
      const { failed } = await first;
      if (failed) return { unfit: failed };
      free = Array.from({ length: slots }, (_, slot) => slot);
      worker.onmessage = ({ data: { slot, index, sounds, written, same, pixels, failed } }) => {
        writing--;
        if (pixels) source.spare?.push(pixels);
        if (failed) broken = failed;
        else if (same) tell({ index, sounds });
        else if (written !== size) broken = "the ring is full";
        else tell({ index, slot, sounds });
        wake();
      };
      const multiplied = transparent && source.gl?.getContextAttributes().premultipliedAlpha;
      return { bottomUp: source instanceof Drawn, multiplied, bgr: source instanceof Framed && !transparent };
    },

    /** Shows frames one after the other and hands over the pixels of each. Answers how many are done, and why no more. */
    async run(frames) {
      for (const [index, frame] of frames.entries()) {
        tell({ shows: index });
        const shown = await pumped(window.__kodaDriver.goto(frame));
        if (shown.error || shown.reload) return { done: index, ...shown };
        const unfit = obstacle(source.canvas);
        if (unfit) return { done: index, unfit };
        if (shown.still && index > 0) {
          if (await source.unchanged()) {
            // By way of the worker, which may still be writing the frame before.
            writing++;
            worker.postMessage({ same: true, index, sounds: shown.sounds });
            continue;
          }
          window.__kodaDriver.refresh();
        }
        const slot = await slotFree();
        if (broken) return { done: 0, unfit: broken };
        const taken = await source.frame();
        writing++;
        worker.postMessage({ ...taken, slot, index, sounds: shown.sounds }, [taken.image ?? taken.pixels.buffer]);
      }
      while (writing > 0 && !broken) await new Promise((done) => (wake = done));
      return broken ? { done: 0, unfit: broken } : { done: frames.length };
    },

    /** A slot has been read. */
    free(slot) {
      free.push(slot);
      wake();
    },

    /** Puts the stage back, and removes the ring. */
    async close() {
      const closed = new Promise((done) => (worker.onmessage = ({ data }) => data.closed && done()));
      worker.postMessage({ done: ring });
      await closed;
      worker.terminate();
      source.close();
      source = worker = null;
    },
  };
  Object.defineProperty(window, "__kodaStream", { value: Object.freeze(stream) });
})();
