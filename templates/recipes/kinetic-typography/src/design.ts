import type { Design } from "./koda/design";

export const design = {
  "title": "Ideas move faster",
  "subtitle": "Say it in motion",
  "colors": {
    "background": "#101014",
    "primary": "#ff4d2e",
    "accent": "#ffd23f",
    "text": "#fff8ec"
  },
  "fonts": {
    "title": "Archivo Black",
    "body": "Inter"
  },
  "lines": [
    "Stop scrolling.",
    "Every word",
    "deserves",
    "to be felt",
    "not just read."
  ],
  "data": [],
  "logo": null
} satisfies Design;
