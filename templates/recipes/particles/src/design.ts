import type { Design } from "./koda/design";

export const design = {
  "title": "Stardust",
  "subtitle": "Everything is made of it",
  "colors": {
    "background": "#080614",
    "primary": "#a855f7",
    "accent": "#f0abfc",
    "text": "#fdf4ff"
  },
  "fonts": {
    "title": "Sora",
    "body": "Outfit"
  },
  "lines": [],
  "data": [],
  "logo": null,
  "speed": 1
} satisfies Design;
