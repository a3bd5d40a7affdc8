import type { Design } from "./koda/design";

export const design = {
  "title": "Revenue doubled in a year",
  "subtitle": "Quarterly revenue, in thousands",
  "colors": {
    "background": "#0b1220",
    "primary": "#3b82f6",
    "accent": "#34d399",
    "text": "#f1f5f9"
  },
  "fonts": {
    "title": "Manrope",
    "body": "Inter"
  },
  "lines": [],
  "data": [
    {
      "label": "Q1",
      "value": 128
    },
    {
      "label": "Q2",
      "value": 164
    },
    {
      "label": "Q3",
      "value": 151
    },
    {
      "label": "Q4",
      "value": 212
    },
    {
      "label": "Q1",
      "value": 258
    }
  ],
  "logo": null,
  "prefix": "$",
  "suffix": "K",
  "style": "bars"
} satisfies Design;
