import type { Design } from "./koda/design";

export const design = {
  "title": "Northwind",
  "subtitle": "Energy that arrives",
  "colors": {
    "background": "#07120f",
    "primary": "#12b886",
    "accent": "#a3f056",
    "text": "#f1fff8"
  },
  "fonts": {
    "title": "Outfit",
    "body": "Inter"
  },
  "lines": [],
  "data": [],
  "logo": null
} satisfies Design;
