// The worker of stream.js: draws what the page took down, and writes frames into the ring. One message after the other, because the
// memory they are read into is one.

// What is drawn is drawn into layers first, each as large as what it covers. Memory for more than this much is had from the system
// anew each time, which takes longer than to draw plain text; for less it is used again. (Chromium's allocator, PartitionAlloc.)
const BAND = 750_000; // bytes
const STEP = 16; // rows: patterns that lie over colours repeat within them
let handle;
let bytes;
let space;
let context;
let whole;

const begin = async ({ name, slots, size, token, canvas, width, height, transparent }) => {
  bytes = size;
  whole = [0, 0, width, height];
  // Drawn by the processor: so it is where it is read.
  context = canvas?.getContext("2d", { willReadFrequently: true, alpha: transparent });
  const folder = await navigator.storage.getDirectory();
  handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  handle.truncate(slots * size + token.length);
  handle.write(token, { at: slots * size });
  handle.flush();
  postMessage({ ready: true });
};

/** Draws band by band; but at once where neighbours count for every pixel, and each band would look beyond itself. */
const draw = (image, blurred) => {
  const { width, height } = context.canvas;
  const rows = blurred ? height : Math.max(STEP, Math.floor(BAND / (width * 4 * STEP)) * STEP);
  context.reset();
  for (let top = 0; top < height; top += rows) {
    context.save();
    context.beginPath();
    context.rect(0, top, width, rows);
    context.clip();
    context.drawElementImage(image, 0, 0);
    context.restore();
  }
};

/** The pixels of what was taken down of the page. */
const drawn = async (image, blurred) => {
  draw(image, blurred);
  image.close();
  const { alpha } = context.getContextAttributes();
  // Of what lets light through, a VideoFrame would have colours that are multiplied by it.
  if (alpha) return context.getImageData(...whole).data;
  // It is read into the same memory again and again, in the browser's own order. Arrays of that size, a new one for every frame,
  // would be hundreds of megabytes before they are collected.
  space ??= new Uint8Array(bytes);
  const frame = new VideoFrame(context.canvas, { timestamp: 0, alpha: "discard" });
  await frame.copyTo(space, { format: "BGRX" });
  frame.close();
  return space;
};

const write = async ({ same, pixels, image, blurred, slot, index, sounds }) => {
  if (same) return postMessage({ index, sounds, same });
  const read = pixels ?? (await drawn(image, blurred));
  const written = handle.write(read, { at: slot * bytes });
  const message = { slot, index, sounds, written };
  if (pixels) postMessage({ ...message, pixels }, [pixels.buffer]);
  else postMessage(message);
};

const end = async (name) => {
  handle.close();
  await (await navigator.storage.getDirectory()).removeEntry(name);
  postMessage({ closed: true });
};

const work = ({ data }) => {
  if (data.done) return end(data.done);
  return data.token ? begin(data) : write(data);
};
let last = Promise.resolve();
onmessage = (message) => {
  last = last.then(() => work(message)).catch((error) => postMessage({ failed: String(error) }));
};
