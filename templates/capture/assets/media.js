// Videos and sounds of a captured page: they never run by themselves, and stand at the frame that belongs to the clock's time.
// Runs after virtual_clock.js and before any script of the page.
(() => {
  "use strict";
  const { prototype } = HTMLMediaElement;
  const time = Object.getOwnPropertyDescriptor(prototype, "currentTime");
  const nativePause = prototype.pause;
  // Frame 20 of 30 a second begins at 0.666667 s in the file, and a script that asks for 20 / 30 s means that frame. Half of the
  // shortest frame there is would do; containers round times to a millisecond.
  const NUDGE = 0.001;
  // A video that is not drawn at all is told of nothing. One that is has been drawn after so many milliseconds of real time and so
  // many frames of the compositor, whichever is later; and where that draws nothing either, after the longest. Until then one is
  // waited for in any case that was drawn the last time and lies within the window: a busy machine is late with it.
  const PATIENCE = 250;
  const FIRST = 1500; // for one that has just come, of which it is not known whether it is drawn
  const ENOUGH = 12;
  const PLACED = 3; // frames of the compositor
  const LONGEST = 3000;
  const BEAT = 50;
  const running = new Map(); // element → { from: seconds in the file, since: milliseconds of the clock }
  const seen = new WeakSet();

  const asked = new WeakMap(); // element → seconds that it was last sought to
  const sought = new WeakMap(); // videos of which no frame has reached the compositor since then → when that was, in real time

  const seek = (element, seconds) => {
    asked.set(element, seconds);
    // Beyond its end it stands there.
    const place = Math.min(seconds + NUDGE, element.duration || Infinity);
    if (Math.abs(time.get.call(element) - place) <= 1e-6) return;
    if (element instanceof HTMLVideoElement) {
      watch(element);
      sought.set(element, new Event("").timeStamp);
    }
    time.set.call(element, place);
  };
  Object.defineProperty(prototype, "currentTime", {
    ...time,
    get() {
      // Remotion seeks only what is farther than a hundredth of a second from its place: a slow video would stand where the frame
      // before had it, or be sought, depending on which that was. It never finds one in its place.
      if (this.dataset.kodaSound !== undefined) return -1;
      return Math.max(0, time.get.call(this) - NUDGE);
    },
    set(seconds) {
      if (running.has(this)) running.set(this, { from: seconds, since: window.__kodaClock.now });
      seek(this, Number(seconds));
    },
  });
  Object.defineProperty(prototype, "paused", { configurable: true, get() { return !running.has(this); } });
  prototype.play = function () {
    if (!running.has(this)) {
      running.set(this, { from: this.currentTime, since: window.__kodaClock.now });
      if (window.__kodaClock.now > 0) window.__kodaClock.stain();
    }
    return Promise.resolve();
  };
  prototype.pause = function () {
    running.delete(this);
    nativePause.call(this);
  };

  const bring = (element, { from, since }, now) => {
    const passed = from + ((now - since) / 1000) * element.playbackRate;
    const { duration } = element;
    if (!Number.isFinite(duration)) return seek(element, Math.max(0, passed));
    seek(element, element.loop ? passed % duration : Math.min(Math.max(0, passed), duration));
  };

  /** Whether a video is on its way to a frame. */
  const comes = (video) => {
    const { error, seeking, currentSrc, networkState, readyState } = video;
    if (error || seeking) return !error;
    // It is chosen what to load, a moment after the page has named it; or nothing could be chosen, or loaded.
    const named = video.hasAttribute("src") || video.querySelector("source") !== null;
    if (networkState === prototype.NETWORK_NO_SOURCE) return named && !currentSrc;
    return Boolean(currentSrc) && readyState < prototype.HAVE_CURRENT_DATA;
  };
  const arrived = (video) =>
    new Promise((done) => {
      for (const name of ["loadstart", "seeked", "loadeddata", "error"]) video.addEventListener(name, done, { once: true });
    });

  const presented = new WeakMap(); // video → the time of the frame that has reached the compositor
  const known = new WeakSet(); // videos that have been drawn
  const lively = new WeakSet(); // videos that were drawn when they were last waited for
  let told = () => undefined;
  const watch = (video) => {
    if (presented.has(video)) return;
    presented.set(video, -1);
    const next = () =>
      video.requestVideoFrameCallback((_, { mediaTime, presentationTime }) => {
        presented.set(video, mediaTime);
        // That of a frame of before may be told late.
        if (!(presentationTime < sought.get(video))) sought.delete(video);
        told();
        next();
      });
    next();
  };
  /** The time of the frame that a video has decoded, in seconds; -1 where it has none yet. */
  const decoded = (video) => {
    try {
      const frame = new VideoFrame(video);
      const { timestamp } = frame;
      frame.close();
      return timestamp / 1e6;
    } catch (error) {
      return error.name === "SecurityError" ? null : -1; // Of another origin it is not told.
    }
  };
  const shows = (video) => {
    // For a moment after it has sought, a video still has the frame before.
    if (sought.has(video)) return false;
    const wanted = decoded(video);
    return wanted === null || (wanted >= 0 && Math.abs(presented.get(video) - wanted) <= 1e-3);
  };
  const inSight = (video) => {
    const { left, top, right, bottom } = video.getBoundingClientRect();
    return right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
  };
  /** Videos have their frames before the compositor has, which draws those before until then. */
  const drawn = async (videos) => {
    const { real } = window.__kodaClock;
    let frames = 0; // of the compositor: where the machine is busy, they are as late as the videos are
    let beats = 0;
    let over = false;
    const count = () => {
      if (over) return;
      frames++;
      real.requestAnimationFrame(count);
      told();
    };
    const inTime = () => beats * BEAT < LONGEST;
    const isNew = (video) => !known.has(video) && beats * BEAT < FIRST;
    const late = () => videos.some((video) => !shows(video) && (lively.has(video) || isNew(video)) && inSight(video));
    const patient = () => inTime() && (beats * BEAT < PATIENCE || frames < ENOUGH || late());
    const happens = () => new Promise((done) => (told = done));
    const fresh = videos.some((video) => !known.has(video));
    if (!fresh && videos.every(shows)) return;
    real.requestAnimationFrame(count);
    const timer = real.setInterval(() => {
      beats++;
      told();
    }, BEAT);
    while (patient() && !videos.every(shows)) await happens();
    // A video that has just come has its first frame before it has its place in what is drawn.
    const placed = fresh ? frames + PLACED : 0;
    while (frames < placed && inTime()) await happens();
    over = true;
    real.clearInterval(timer);
    // Whatever came of it, the same frames are not waited for again.
    for (const video of videos) {
      if (shows(video)) lively.add(video);
      else lively.delete(video);
      presented.set(video, decoded(video) ?? -1);
      sought.delete(video);
      known.add(video);
    }
  };

  const media = {
    /** What can be heard at the frame now shown: what of, from which second of it, how loud, how fast and at which pitch. What an
     * element says of itself is in `data-koda-sound`: the unit of its volume, how loud it begins, its tone, and which of
     * the file's sounds it is. */
    sounds() {
      const heard = [];
      for (const element of new Set([...document.querySelectorAll("audio, video"), ...running.keys()])) {
        const src = element.currentSrc || element.src;
        if (!src || element.muted || element.volume === 0 || element.error) continue;
        const { unit = 1, loud = 1, tone = 1, stream = 0 } = JSON.parse(element.dataset.kodaSound ?? "{}");
        // One that begins at its file's beginning need not be sought to it.
        const at = asked.get(element) ?? Math.max(0, time.get.call(element));
        // It stands at its end, and there is nothing left of it.
        if (at >= element.duration) continue;
        // One whose volume has never been set says how loud it was to be.
        const volume = element.volume < 1 ? element.volume * unit : loud;
        heard.push({ src, at, volume, rate: element.playbackRate, tone, stream });
      }
      return heard;
    },

    /** Addresses of the videos that are in the page now. */
    videos() {
      const playable = [...document.getElementsByTagName("video")].filter((video) => video.currentSrc && !video.error);
      return [...new Set(playable.map((video) => video.currentSrc.split("#")[0]))];
    },

    /** Brings all that runs to its place, and waits until it shows what is there. */
    async settle() {
      const { now } = window.__kodaClock;
      for (const element of document.querySelectorAll("video[autoplay], audio[autoplay]")) {
        if (seen.has(element)) continue;
        seen.add(element);
        element.autoplay = false;
        element.play();
      }
      for (const [element, began] of running) {
        if (element.isConnected) bring(element, began, now);
        else running.delete(element);
      }
      const videos = [...document.getElementsByTagName("video")];
      for (const video of videos) {
        watch(video);
        while (comes(video)) await arrived(video);
      }
      // What has no picture at all, such as a file with only sound, has none to wait for.
      await drawn(videos.filter((video) => !video.error && video.videoWidth > 0 && video.checkVisibility()));
    },
  };
  Object.defineProperty(window, "__kodaMedia", { value: Object.freeze(media) });
})();
