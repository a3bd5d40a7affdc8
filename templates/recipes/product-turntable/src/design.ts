import type { Design } from "./koda/design";

export const design = {
  "title": "Aurora Tonic",
  "subtitle": "Cold pressed, slow brewed",
  "colors": {
    "background": "#10131c",
    "primary": "#e8590c",
    "accent": "#ffc078",
    "text": "#fff4e6"
  },
  "fonts": {
    "title": "DM Serif Display",
    "body": "Outfit"
  },
  "lines": [],
  "data": [],
  "logo": null,
  "style": "bottle"
} satisfies Design;
