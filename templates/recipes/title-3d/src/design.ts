import type { Design } from "./koda/design";

export const design = {
  "title": "Level Up",
  "subtitle": "A new season begins",
  "colors": {
    "background": "#0d0b1e",
    "primary": "#ff3d81",
    "accent": "#38e1ff",
    "text": "#fff4fb"
  },
  "fonts": {
    "title": "Archivo Black",
    "body": "Space Grotesk"
  },
  "lines": [],
  "data": [],
  "logo": null,
  "speed": 1
} satisfies Design;
