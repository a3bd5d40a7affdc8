const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** A random name of `[0-9a-z]`. Works on plain HTTP too, where `crypto.randomUUID` does not exist. */
export function randomName(length = 16): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => ALPHABET[byte & 31]).join("");
}

/** A key that makes a repeated POST one POST. Keep it for retries of the same intent. */
export const idempotencyKey = (): string => randomName(24);
