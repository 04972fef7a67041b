/** Microseconds since the Unix epoch: what Django keeps, and still a safe integer. */
export type Instant = number;

export const SECOND = 1_000_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The text that Django stores on SQLite: UTC without a zone, and no fraction where it is zero. */
export function djangoText(instant: Instant): string {
  const day = Math.floor(instant / DAY);
  const time = instant - day * DAY;
  const seconds = Math.floor(time / SECOND);
  const fraction = time - seconds * SECOND;
  const minutes = Math.floor(seconds / 60);
  const text = `${dateText(day)} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return fraction === 0 ? text : `${text}.${fraction.toString().padStart(6, "0")}`;
}

const dates = new Map<number, string>();

/** A big database has millions of instants but only some thousand dates. */
function dateText(day: number): string {
  let text = dates.get(day);
  if (text === undefined) {
    text = new Date((day * DAY) / 1000).toISOString().slice(0, 10);
    dates.set(day, text);
  }
  return text;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
