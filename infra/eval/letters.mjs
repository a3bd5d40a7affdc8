// Whether letters are drawn as letters. A font that lacks one draws an empty box, and the page's texts tell no difference.
import { difference } from "./pictures.mjs";

/** A character that Unicode has not given to any letter: whatever is drawn for it is what is drawn for a letter that is missing. */
const NOBODY = "\u{0378}";
/** What one letter of a title changes at least, of all pixels of a sheet. */
const LEAST = 0.0001;

/**
 * Letters of the title that look like a missing one: each is replaced by hand in turn, and the pictures must change. Changes the
 * animation, so it comes last.
 */
export async function boxes(session, title) {
  const shot = async (words) => {
    const outcome = await session.edit({ title: words });
    if (outcome.type !== "ready") throw new Error(`with the title ${words} it ended as ${outcome.type}`);
    return session.pixels();
  };
  const letters = [...new Set(title)].filter((letter) => /\p{L}/u.test(letter));
  // An edit is looked at less closely than what was built, at other frames: one edit is compared with another.
  await shot([...title].map((letter) => (letters.includes(letter) ? NOBODY : letter)).join(""));
  const whole = await shot(title);
  const missing = [];
  for (const letter of letters) {
    const other = await shot(title.replaceAll(letter, NOBODY));
    if (difference(whole, other) < LEAST) missing.push(letter);
  }
  return missing;
}
