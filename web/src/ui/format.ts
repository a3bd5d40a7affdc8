/** Numbers and times for people. */

export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });
const date = new Intl.DateTimeFormat("en", { dateStyle: "medium" });

/** "3 minutes ago"; a date when it is older than a month. */
export function formatAgo(when: string, now = Date.now()): string {
  const seconds = (new Date(when).getTime() - now) / 1000;
  const age = Math.abs(seconds);
  if (age < 45) return "just now";
  if (age < 3_600) return relative.format(Math.round(seconds / 60), "minute");
  if (age < 86_400) return relative.format(Math.round(seconds / 3_600), "hour");
  if (age < 30 * 86_400) return relative.format(Math.round(seconds / 86_400), "day");
  return date.format(new Date(when));
}

/** `1:05`, or `6.5 s` below a minute. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
