/** The bundled font families, all under the SIL Open Font License. Every address is a literal, so that a build finds the file. */

/** Which characters each file holds. */
export const subsets = {
  latin:
    "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD",
  "latin-ext":
    "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+0304,U+0308,U+0329,U+1D00-1DBF,U+1E00-1E9F,U+1EF2-1EFF,U+2020,U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF",
  cyrillic:
    "U+0301,U+0400-045F,U+0490-0491,U+04B0-04B1,U+2116",
  greek:
    "U+0370-0377,U+037A-037F,U+0384-038A,U+038C,U+038E-03A1,U+03A3-03FF",
  vietnamese:
    "U+0102-0103,U+0110-0111,U+0128-0129,U+0168-0169,U+01A0-01A1,U+01AF-01B0,U+0300-0301,U+0303-0304,U+0308-0309,U+0323,U+0329,U+1EA0-1EF9,U+20AB",
};

export interface Face {
  /** One weight, or a range: of a variable font, or of a font that has one weight and is taken for all of them. */
  weight: string;
  style: "normal" | "italic";
  files: { [subset in keyof typeof subsets]?: URL };
}

export interface Family {
  name: string;
  faces: Face[];
}

export const families: Family[] = [
  {
    name: "Inter",
    faces: [
      {
        weight: "400",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/inter/files/inter-latin-400-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/inter/files/inter-latin-ext-400-normal.woff", import.meta.url),
          cyrillic: new URL("../../node_modules/@fontsource/inter/files/inter-cyrillic-400-normal.woff", import.meta.url),
          greek: new URL("../../node_modules/@fontsource/inter/files/inter-greek-400-normal.woff", import.meta.url),
          vietnamese: new URL("../../node_modules/@fontsource/inter/files/inter-vietnamese-400-normal.woff", import.meta.url),
        },
      },
      {
        weight: "800",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/inter/files/inter-latin-800-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/inter/files/inter-latin-ext-800-normal.woff", import.meta.url),
          cyrillic: new URL("../../node_modules/@fontsource/inter/files/inter-cyrillic-800-normal.woff", import.meta.url),
          greek: new URL("../../node_modules/@fontsource/inter/files/inter-greek-800-normal.woff", import.meta.url),
          vietnamese: new URL("../../node_modules/@fontsource/inter/files/inter-vietnamese-800-normal.woff", import.meta.url),
        },
      },
    ],
  },
  {
    name: "Space Grotesk",
    faces: [
      {
        weight: "400",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/space-grotesk/files/space-grotesk-latin-400-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/space-grotesk/files/space-grotesk-latin-ext-400-normal.woff", import.meta.url),
          vietnamese: new URL("../../node_modules/@fontsource/space-grotesk/files/space-grotesk-vietnamese-400-normal.woff", import.meta.url),
        },
      },
      {
        weight: "700",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/space-grotesk/files/space-grotesk-latin-700-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/space-grotesk/files/space-grotesk-latin-ext-700-normal.woff", import.meta.url),
          vietnamese: new URL("../../node_modules/@fontsource/space-grotesk/files/space-grotesk-vietnamese-700-normal.woff", import.meta.url),
        },
      },
    ],
  },
  {
    name: "Outfit",
    faces: [
      {
        weight: "400",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/outfit/files/outfit-latin-400-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/outfit/files/outfit-latin-ext-400-normal.woff", import.meta.url),
        },
      },
      {
        weight: "800",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/outfit/files/outfit-latin-800-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/outfit/files/outfit-latin-ext-800-normal.woff", import.meta.url),
        },
      },
    ],
  },
  {
    name: "Poppins",
    faces: [
      {
        weight: "400",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/poppins/files/poppins-latin-400-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/poppins/files/poppins-latin-ext-400-normal.woff", import.meta.url),
        },
      },
      {
        weight: "800",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/poppins/files/poppins-latin-800-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/poppins/files/poppins-latin-ext-800-normal.woff", import.meta.url),
        },
      },
    ],
  },
  {
    name: "DM Serif Display",
    faces: [
      {
        weight: "100 900",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/dm-serif-display/files/dm-serif-display-latin-400-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/dm-serif-display/files/dm-serif-display-latin-ext-400-normal.woff", import.meta.url),
        },
      },
    ],
  },
  {
    name: "Bebas Neue",
    faces: [
      {
        weight: "100 900",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/bebas-neue/files/bebas-neue-latin-400-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/bebas-neue/files/bebas-neue-latin-ext-400-normal.woff", import.meta.url),
        },
      },
    ],
  },
  {
    name: "Anton",
    faces: [
      {
        weight: "100 900",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/anton/files/anton-latin-400-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/anton/files/anton-latin-ext-400-normal.woff", import.meta.url),
          vietnamese: new URL("../../node_modules/@fontsource/anton/files/anton-vietnamese-400-normal.woff", import.meta.url),
        },
      },
    ],
  },
  {
    name: "Archivo Black",
    faces: [
      {
        weight: "100 900",
        style: "normal",
        files: {
          latin: new URL("../../node_modules/@fontsource/archivo-black/files/archivo-black-latin-400-normal.woff", import.meta.url),
          "latin-ext": new URL("../../node_modules/@fontsource/archivo-black/files/archivo-black-latin-ext-400-normal.woff", import.meta.url),
        },
      },
    ],
  },
];
