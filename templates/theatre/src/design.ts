import type { Design } from "./koda/design";

export const design = {
  "title": "Your animation appears here",
  "subtitle": "",
  "colors": { "background": "#0e1118", "primary": "#7c5cff", "accent": "#22d3ee", "text": "#f4f6fb" },
  "fonts": { "title": "Space Grotesk", "body": "Inter" },
  "lines": [],
  "data": [],
  "logo": null
} satisfies Design;
