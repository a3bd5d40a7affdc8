// Words that can be read in an animation.

/** Letters alone: in small, and without spaces, as words in lines of their own come without any between them. */
const plain = (text) => text.normalize("NFC").toUpperCase().toLowerCase().replace(/\s+/g, "");

/**
 * Words of `want` that no text has. `texts` are what the page's check read at the frames that it shot, each once. In 2D these are
 * texts of the page, opacity and masks regarded; in 3D what the scene's texts say whose letters are in the scene, which is geometry
 * that cannot be read.
 */
export function unread(texts, want) {
  const read = texts.map(plain);
  const letters = read.filter((text) => [...text].length === 1);
  const words = [want].flat().flatMap((text) => text.split(/\s+/)).filter(Boolean);
  return words.filter((word) => !read.some((text) => text.includes(plain(word))) && !spelt(letters, plain(word)));
}

/** Whether letters that are texts of their own spell a word. Each is told once, at its first place. */
function spelt(letters, word) {
  const wanted = [...new Set(word)];
  let at = 0;
  for (const letter of letters) if (letter === wanted[at]) at++;
  return wanted.length > 1 && at === wanted.length;
}

/** How the words of an animation are known, for the table. */
export function source(engine, texts) {
  if (!texts?.length) return "";
  return engine === "theatre" ? "scene" : "page";
}
