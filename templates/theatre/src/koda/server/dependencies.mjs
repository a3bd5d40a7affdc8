// Every package entry that a composition may import, prepared ahead by Vite.
export const dependencies = [
  "react",
  "react/jsx-runtime",
  "react/jsx-dev-runtime",
  "react-dom",
  "react-dom/client",
  "three",
  "three/addons/geometries/RoundedBoxGeometry.js",
  "three/addons/loaders/GLTFLoader.js",
  "three/addons/loaders/SVGLoader.js",
  "three/addons/math/ImprovedNoise.js",
  "three/addons/math/SimplexNoise.js",
  "three/addons/utils/BufferGeometryUtils.js",
  "opentype.js",
  "@react-three/fiber",
  "@react-three/drei",
  "@theatre/core",
];

/** What a composition gets for what it imports: files of `src/koda`. */
export const replaced = {};
