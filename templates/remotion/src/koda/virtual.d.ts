/** What lies below `public/` as the page is loaded (server/imports.mjs). */
declare module "virtual:koda-files" {
  const files: { name: string; sizeInBytes: number; lastModified: number }[];
  export default files;
}
