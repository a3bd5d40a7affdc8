import type { Design } from "./koda/design";

export const design = {
  "title": "Make something people remember",
  "subtitle": "A short film in one sentence",
  "colors": {
    "background": "#0a0d1a",
    "primary": "#8b5cf6",
    "accent": "#22d3ee",
    "text": "#f8fafc"
  },
  "fonts": {
    "title": "Space Grotesk",
    "body": "Inter"
  },
  "lines": [],
  "data": [],
  "logo": null
} satisfies Design;
