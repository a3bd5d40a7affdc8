// Virtual time for a captured page. Runs before any script of the page; every frame of the page gets its own copy.
//
// Whose time it is
// - The composition's: Date, performance.now, animation frames, timers, randomness and animations all follow a clock that moves
//   only in seek(). Animation frames fall on the composition's own frame grid, so they are a function of the frame number too.
// - The page's machinery (packages below node_modules, or in a workspace's own cache below .koda; the template's src/koda; Vite's
//   client) keeps real timers: React's Suspense throttle or a loader's retry must come to an end while a frame is being waited for.
//   Machinery reads the same virtual clock. Animation frames are real for Remotion alone, which waits by them for the browser, and
//   draws by its frame number: other packages draw in them.
//
// What a composition registers for "now" (setTimeout 0) runs in a later task without a seek. What it registers for later waits
// for its time, unless the page has been waiting for a while with nothing else going on: then nudge() lets one-shot timers go,
// so that a composition which waits for its own timer before it mounts does not wait for ever.
(() => {
  "use strict";
  const config = /*KODA_CONFIG*/ { fps: 30 };
  const EPOCH = 1704067200000; // 2024-01-01T00:00:00Z: any fixed date will do
  const EPSILON = 1e-6;
  const FIRST_ID = 1000000000; // ids of virtual timers, out of the way of the browser's own
  const frameTime = (index) => (index * 1000) / config.fps;

  const real = {
    Date,
    setTimeout: window.setTimeout.bind(window),
    clearTimeout: window.clearTimeout.bind(window),
    setInterval: window.setInterval.bind(window),
    clearInterval: window.clearInterval.bind(window),
    requestAnimationFrame: window.requestAnimationFrame.bind(window),
    cancelAnimationFrame: window.cancelAnimationFrame.bind(window),
  };

  let now = 0;
  let nextFrame = 0; // index of the next animation frame on the grid that has not run
  let sought = false;
  let stateful = false; // true once something ran whose effect a seek backwards cannot undo
  let lastId = FIRST_ID;
  let nesting = 0;
  const timers = new Map(); // id → { due, period, callback, args, nesting, order }
  let frameCallbacks = new Map(); // id → callback

  // ---- dates and clocks -------------------------------------------------------------------------------------------------

  real.Date.now = () => Math.floor(EPOCH + now);
  const VirtualDate = new Proxy(real.Date, {
    construct(target, args, newTarget) {
      return Reflect.construct(target, args.length === 0 ? [real.Date.now()] : args, newTarget === VirtualDate ? target : newTarget);
    },
    apply(target) {
      return new target(target.now()).toString();
    },
  });
  real.Date.prototype.constructor = VirtualDate;
  window.Date = VirtualDate;

  const define = (object, name, value) => Object.defineProperty(object, name, { value, configurable: true, writable: true });
  const defineGetter = (object, name, get) => Object.defineProperty(object, name, { get, configurable: true });
  define(Performance.prototype, "now", function () {
    return now;
  });
  defineGetter(Performance.prototype, "timeOrigin", () => EPOCH);
  if (window.AnimationTimeline) defineGetter(AnimationTimeline.prototype, "currentTime", () => now);
  if (window.Temporal?.Now) {
    const { Now, Instant } = window.Temporal;
    const instant = () => Instant.fromEpochMilliseconds(real.Date.now());
    const zoned = (zone) => instant().toZonedDateTimeISO(zone ?? Now.timeZoneId());
    define(Now, "instant", instant);
    define(Now, "zonedDateTimeISO", zoned);
    define(Now, "plainDateTimeISO", (zone) => zoned(zone).toPlainDateTime());
    define(Now, "plainDateISO", (zone) => zoned(zone).toPlainDate());
    define(Now, "plainTimeISO", (zone) => zoned(zone).toPlainTime());
  }

  // ---- randomness -------------------------------------------------------------------------------------------------------

  let seed = 0;
  const reseed = (ms) => {
    seed = (Math.imul(Math.round(ms * 1000) | 0, 0x9e3779b1) ^ 0x85ebca6b) >>> 0;
  };
  reseed(0);
  const random32 = () => {
    // mulberry32
    seed = (seed + 0x6d2b79f5) >>> 0;
    let t = seed;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  define(Math, "random", () => random32() / 4294967296);
  define(Crypto.prototype, "getRandomValues", (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = random32() >>> 24;
    return array;
  });
  define(Crypto.prototype, "randomUUID", () => {
    const hex = Array.from({ length: 16 }, (_, i) => {
      const byte = random32() >>> 24;
      return (i === 6 ? (byte & 0x0f) | 0x40 : i === 8 ? (byte & 0x3f) | 0x80 : byte).toString(16).padStart(2, "0");
    }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  });

  // ---- timers -----------------------------------------------------------------------------------------------------------

  const MACHINERY = /\/(?:node_modules|\.koda|src\/koda|@vite|@react-refresh|@id)(?:\/|$|[?:])/;
  const REMOTION = /\/(?:node_modules|deps)\/(?:@remotion\/|remotion\/|@remotion_[\w-]+\.js|remotion\.js)/;
  /** True where a script of these called a timer function. */
  const calledBy = (scripts) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 3;
    const stack = String(new Error().stack);
    Error.stackTraceLimit = limit;
    const caller = stack.split("\n")[3];
    return caller !== undefined && scripts.test(caller);
  };

  const report = (error) => {
    if (typeof window.reportError === "function") window.reportError(error);
    else real.setTimeout(() => { throw error; }, 0);
  };
  const run = (callback, args) => {
    try {
      callback(...args);
    } catch (error) {
      report(error);
    }
  };
  const runTimer = (id, timer) => {
    if (timer.period === null) timers.delete(id);
    else timer.due += timer.period;
    const outer = nesting;
    nesting = timer.nesting;
    run(timer.callback, timer.args);
    nesting = outer;
  };

  let immediate = false;
  const flushDue = () => {
    immediate = false;
    // Only what was due when this task began: a timer that sets itself again gets a task of its own.
    const due = [...timers].filter(([, timer]) => timer.due <= now + EPSILON).sort(byTime);
    for (const [id, timer] of due) if (timers.get(id) === timer) runTimer(id, timer);
    scheduleImmediate();
  };
  const scheduleImmediate = () => {
    if (immediate) return;
    for (const timer of timers.values()) {
      if (timer.due <= now + EPSILON) {
        immediate = true;
        real.setTimeout(flushDue, 0);
        return;
      }
    }
  };
  const byTime = (a, b) => a[1].due - b[1].due || a[1].order - b[1].order;

  const register = (callback, delay, args, repeats) => {
    const wanted = Number(delay) > 0 ? Number(delay) : 0;
    // Nested timers are held to 4 ms, as in every browser; without it a chain of zero delays would never let time pass.
    const wait = repeats ? Math.max(wanted, 4) : nesting >= 5 ? Math.max(wanted, 4) : wanted;
    const id = ++lastId;
    const callable = typeof callback === "function" ? callback : () => (0, eval)(String(callback));
    timers.set(id, { due: now + wait, period: repeats ? wait : null, callback: callable, args, nesting: nesting + 1, order: id });
    scheduleImmediate();
    return id;
  };
  window.setTimeout = function setTimeout(callback, delay, ...args) {
    if (calledBy(MACHINERY)) return real.setTimeout(callback, delay, ...args);
    return register(callback, delay, args, false);
  };
  window.setInterval = function setInterval(callback, delay, ...args) {
    if (calledBy(MACHINERY)) return real.setInterval(callback, delay, ...args);
    return register(callback, delay, args, true);
  };
  const clear = (id) => {
    if (!timers.delete(Number(id))) real.clearTimeout(id);
  };
  window.clearTimeout = clear;
  window.clearInterval = clear;

  window.requestAnimationFrame = function requestAnimationFrame(callback) {
    if (calledBy(REMOTION)) return real.requestAnimationFrame(callback);
    const id = ++lastId;
    frameCallbacks.set(id, callback);
    return id;
  };
  window.cancelAnimationFrame = (id) => {
    if (!frameCallbacks.delete(Number(id))) real.cancelAnimationFrame(id);
  };
  window.requestIdleCallback = (callback) =>
    real.setTimeout(() => run(callback, [{ didTimeout: false, timeRemaining: () => 50 }]), 0);
  window.cancelIdleCallback = real.clearTimeout;

  const runFrame = () => {
    const due = frameCallbacks;
    frameCallbacks = new Map();
    for (const [id, callback] of due) {
      // A callback may cancel one that comes after it in the same frame.
      if (due.has(id)) run(callback, [now]);
    }
  };

  // ---- animations -------------------------------------------------------------------------------------------------------

  const animationPrototype = window.Animation.prototype;
  const nativePause = animationPrototype.pause;
  const nativePlay = animationPrototype.play;
  const nativeFinish = animationPrototype.finish;
  const nativeTime = Object.getOwnPropertyDescriptor(animationPrototype, "currentTime");
  const tracked = new Map(); // Animation → virtual time at which it began
  const handled = new WeakSet(); // animations that the composition seeks itself
  define(animationPrototype, "pause", function () {
    handled.add(this);
    tracked.delete(this);
    return nativePause.call(this);
  });
  define(animationPrototype, "play", function () {
    handled.delete(this);
    return nativePlay.call(this);
  });
  Object.defineProperty(animationPrototype, "currentTime", {
    ...nativeTime,
    set(value) {
      handled.add(this);
      tracked.delete(this);
      nativeTime.set.call(this, value);
    },
  });

  const place = (animation, began) => {
    const end = Number(animation.effect?.getComputedTiming().endTime ?? Infinity);
    const time = (now - began) * (animation.playbackRate || 1);
    if (Number.isFinite(end) && time >= end && animation.playbackRate > 0) {
      if (animation.playState !== "finished") nativeFinish.call(animation);
      return;
    }
    if (animation.playState !== "paused") nativePause.call(animation);
    nativeTime.set.call(animation, Math.max(0, time));
  };
  const syncAnimations = () => {
    for (const animation of document.getAnimations()) {
      if (tracked.has(animation) || handled.has(animation) || animation.timeline !== document.timeline) continue;
      if (animation.playState === "paused") continue; // by CSS: the composition holds it where it wants it
      tracked.set(animation, now);
      if (window.CSSTransition && animation instanceof CSSTransition) stateful = true;
      if (now > 0) stateful = true; // began at this frame; before it, it does not exist
    }
    for (const [animation, began] of tracked) {
      if (animation.playState === "idle") tracked.delete(animation);
      else place(animation, began);
    }
    if (document.querySelector("animate, animateTransform, animateMotion, set")) {
      for (const svg of document.querySelectorAll("svg")) {
        if (svg.ownerSVGElement || !svg.setCurrentTime) continue;
        svg.pauseAnimations();
        svg.setCurrentTime(now / 1000);
      }
    }
  };

  // ---- moving -----------------------------------------------------------------------------------------------------------

  const nextTimer = (until) => {
    let found = null;
    for (const entry of timers) {
      if (entry[1].due <= until + EPSILON && (found === null || byTime(entry, found) < 0)) found = entry;
    }
    return found;
  };

  const clock = {
    seek(ms) {
      sought = true;
      if (ms >= now) {
        for (;;) {
          const timer = nextTimer(ms);
          const frameAt = frameTime(nextFrame);
          const frameDue = frameAt <= ms + EPSILON;
          if (timer && (!frameDue || timer[1].due <= frameAt + EPSILON)) {
            now = Math.max(now, timer[1].due);
            stateful = true;
            runTimer(timer[0], timer[1]);
          } else if (frameDue) {
            now = Math.max(now, frameAt);
            nextFrame++;
            if (frameCallbacks.size > 0) {
              stateful = true;
              reseed(now);
              runFrame();
            } else if (timers.size === 0) {
              // Nothing can become due before the end: skip the empty part of the grid.
              nextFrame = Math.max(nextFrame, Math.floor((ms * config.fps) / 1000 + EPSILON) + 1);
            }
          } else break;
        }
      }
      now = ms;
      reseed(ms);
      syncAnimations();
    },
    /** For the driver: brings animations that began with the frame just shown to their place. */
    settle: syncAnimations,
    /** True where a seek to this time would run something that a composition registered. */
    due(ms) {
      return nextTimer(ms) !== null || (frameCallbacks.size > 0 && frameTime(nextFrame) <= ms + EPSILON);
    },
    /** Lets what waits for a later time go now; for a page that has stood still in real time. */
    nudge() {
      const waiting = [...timers].filter(([, timer]) => timer.period === null).sort(byTime);
      for (const [id, timer] of waiting) if (timers.get(id) === timer) runTimer(id, timer);
      if (!sought) return;
      runFrame();
    },
    /** Something depends on the time at which it was first shown: a seek backwards cannot undo it. */
    stain() {
      stateful = true;
    },
    get now() {
      return now;
    },
    get stateful() {
      return stateful;
    },
    get sought() {
      return sought;
    },
    /** Real timers, for the driver. */
    real: { setTimeout: real.setTimeout, setInterval: real.setInterval, clearInterval: real.clearInterval, requestAnimationFrame: real.requestAnimationFrame },
  };
  Object.defineProperty(window, "__kodaClock", { value: Object.freeze(clock) });
})();
