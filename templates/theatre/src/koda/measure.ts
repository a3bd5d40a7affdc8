import type { MeasuredText, Measurement } from "./contract";

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

interface Group {
  element: HTMLElement;
  text: string;
  box: Box;
  /** Where the last piece of it stands. */
  last: Box;
  clipped: boolean;
  opacity: number;
  fontSize: number;
}

/**
 * Finds every text on the stage. Letters and words in spans of their own count as one text with the block that holds them.
 * `data-mask` marks an element that cuts its content off on purpose, as in a reveal; what is `aria-hidden` is decoration.
 */
export function measureTexts(stage: HTMLElement, layoutWidth: number): Measurement {
  const frame = stage.getBoundingClientRect();
  const scale = frame.width / layoutWidth;
  const groups = new Map<HTMLElement, Group>();
  const walker = document.createTreeWalker(stage, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!parent || !node.nodeValue || parent.closest("style, script, [aria-hidden=true]")) continue;
    if (!node.nodeValue.trim()) {
      const around = groups.get(block(parent, stage));
      if (around) around.text += " ";
      continue;
    }
    const range = document.createRange();
    range.selectNodeContents(node);
    const rect = range.getBoundingClientRect();
    if (rect.width === 0 || rect.height === 0) continue;
    const seen = visibility(parent, stage, rect);
    if (!seen) continue;
    const element = block(parent, stage);
    const size = (Number.parseFloat(getComputedStyle(parent).fontSize) * scaleOf(parent)) / scale;
    const group = groups.get(element);
    if (!group) {
      groups.set(element, { element: parent, text: node.nodeValue, box: seen.box, last: rect, clipped: seen.clipped, opacity: seen.opacity, fontSize: size });
      continue;
    }
    // A new line stands for a space. Boxes of lines may overlap, and letters that move up and down stay in theirs: it goes down and back.
    const lower = rect.top + rect.bottom - group.last.top - group.last.bottom > 0.8 * rect.height;
    if (lower && rect.left < group.last.right - 1) group.text += " ";
    group.text += node.nodeValue;
    group.last = rect;
    group.box = union(group.box, seen.box);
    group.clipped ||= seen.clipped;
    group.opacity = Math.max(group.opacity, seen.opacity);
    group.fontSize = Math.max(group.fontSize, size);
  }
  return { texts: [...groups.values()].map((group) => measured(group, stage, frame, scale)) };
}

function measured(group: Group, stage: HTMLElement, frame: DOMRect, scale: number): MeasuredText {
  const { box } = group;
  const slack = 1;
  const round = (value: number) => Math.round((value / scale) * 10) / 10;
  return {
    text: group.text.replace(/\s+/g, " ").trim(),
    x: round(box.left - frame.left),
    y: round(box.top - frame.top),
    width: round(box.right - box.left),
    height: round(box.bottom - box.top),
    clipped: group.clipped,
    outOfFrame:
      box.left < frame.left - slack || box.top < frame.top - slack || box.right > frame.right + slack || box.bottom > frame.bottom + slack,
    opacity: Math.round(group.opacity * 1000) / 1000,
    fontSize: Math.round(group.fontSize * 10) / 10,
    contrast: contrast(group, stage),
  };
}

function block(element: HTMLElement, stage: HTMLElement): HTMLElement {
  const marked = element.closest<HTMLElement>("[data-text]");
  if (marked && stage.contains(marked)) return marked;
  let current = element;
  while (current !== stage && getComputedStyle(current).display.startsWith("inline") && current.parentElement) current = current.parentElement;
  return current;
}

/** How many CSS pixels of the window one pixel of the element takes, transforms included. */
function scaleOf(element: Element): number {
  if (element instanceof SVGGraphicsElement) {
    const matrix = element.getScreenCTM();
    return matrix ? Math.hypot(matrix.a, matrix.b) : 1;
  }
  if (!(element instanceof HTMLElement)) return 1;
  const block = element.offsetWidth > 0 ? element : element.parentElement;
  return block && block.offsetWidth > 0 ? Math.max(0.01, block.getBoundingClientRect().width / block.offsetWidth) : 1;
}

function visibility(element: HTMLElement, stage: HTMLElement, rect: DOMRect): { box: Box; clipped: boolean; opacity: number } | null {
  let opacity = 1;
  let clipped = false;
  let box: Box = rect;
  for (let current: HTMLElement | null = element; current && current !== stage; current = current.parentElement) {
    const style = getComputedStyle(current);
    if (style.visibility === "hidden") return null;
    opacity *= Number(style.opacity);
    if (style.display === "inline" || (style.overflowX === "visible" && style.overflowY === "visible")) continue;
    const hole = current.getBoundingClientRect();
    // What fills the picture cuts off at its edge, and that is reported as out of frame.
    if (covers(hole, stage.getBoundingClientRect())) continue;
    if (current.dataset.mask !== undefined) {
      box = intersection(box, hole);
      if (box.right - box.left < 1 || box.bottom - box.top < 1) return null;
    } else if (!covers(hole, box)) {
      clipped = true;
    }
  }
  return opacity === 0 ? null : { box, clipped, opacity };
}

function covers(outer: Box, inner: Box): boolean {
  const slack = 1.5;
  return outer.left <= inner.left + slack && outer.top <= inner.top + slack && outer.right >= inner.right - slack && outer.bottom >= inner.bottom - slack;
}

function union(a: Box, b: Box): Box {
  return { left: Math.min(a.left, b.left), top: Math.min(a.top, b.top), right: Math.max(a.right, b.right), bottom: Math.max(a.bottom, b.bottom) };
}

function intersection(a: Box, b: Box): Box {
  return { left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom) };
}

type Color = [red: number, green: number, blue: number, alpha: number];

function color(css: string): Color | null {
  const parts = /^rgba?\(([^)]+)\)$/.exec(css)?.[1]?.split(/[\s,/]+/).map(Number);
  if (!parts || parts.length < 3 || parts.some(Number.isNaN)) return null;
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0, parts[3] ?? 1];
}

function over(top: Color, below: Color): Color {
  const mix = (index: 0 | 1 | 2) => top[index] * top[3] + below[index] * (1 - top[3]);
  return [mix(0), mix(1), mix(2), 1];
}

function luminance([red, green, blue]: Color): number {
  const linear = (value: number) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function contrast(group: Group, stage: HTMLElement): number | null {
  const style = getComputedStyle(group.element);
  if (style.webkitTextFillColor !== style.color || style.backgroundClip === "text") return null;
  const ink = color(style.color);
  const paper = behind(group, stage);
  if (!ink || !paper) return null;
  const a = luminance(over(ink, paper));
  const b = luminance(paper);
  return Math.round(((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)) * 100) / 100;
}

/** The plain colour behind a text, or null where there is a picture, a gradient or nothing. */
function behind(group: Group, stage: HTMLElement): Color | null {
  const { box, element } = group;
  const layers: Color[] = [];
  for (const layer of document.elementsFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2)) {
    if (!stage.contains(layer) || layer === stage) continue;
    const around = layer === element || layer.contains(element);
    if (layer instanceof SVGElement || layer instanceof HTMLCanvasElement || layer instanceof HTMLImageElement || layer instanceof HTMLVideoElement) return null;
    const style = getComputedStyle(layer);
    if (style.backgroundImage !== "none" && !(around && style.backgroundClip === "text")) return null;
    const fill = color(style.backgroundColor);
    if (!fill) return null;
    if (fill[3] === 0) continue;
    layers.push(fill);
    if (fill[3] >= 0.999) return layers.reduceRight((below, top) => over(top, below));
  }
  return null;
}
