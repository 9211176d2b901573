// Numbers and times as people read them.
import { language, t } from './words.js';

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** A number with the separators of the language. */
export const count = (n) => n.toLocaleString(language());

/** Bytes in the unit that leaves one to three digits before the point. */
export function bytes(n) {
  if (n === null || n === undefined) return '–';
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${n.toFixed(unit === 0 || n >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** A part of a whole, as percent. */
export const percent = (ratio) => (ratio === null || ratio === undefined ? '–' : `${(ratio * 100).toFixed(1)}%`);

/** A span in its two largest units. */
export function span(seconds) {
  seconds = Math.max(0, Math.floor(seconds));
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return t('span.days', { days, hours });
  if (hours > 0) return t('span.hours', { hours, minutes });
  if (minutes > 0) return t('span.minutes', { minutes });
  return t('span.seconds', { seconds });
}

/** How long ago a moment was. */
export const ago = (time) => span((Date.now() - Date.parse(time)) / 1000);

/** A moment by the viewer's clock. */
export const moment = (time) => new Date(time).toLocaleString(language(), { dateStyle: 'medium', timeStyle: 'medium' });

/** The time of a day. */
export const clock = (time = Date.now()) => new Date(time).toLocaleTimeString('en-GB');
