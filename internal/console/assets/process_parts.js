// The parts by which a process is shown: in the list, its details, TIDY UP and
// the dialog.
import { el } from './dom.js';
import { icon } from './icons.js';
import { reasonText, t } from './words.js';

const pictures = { danger: 'siren', warn: 'warning', info: 'note' };
const portsShown = 5;

/** The dot of a verdict, with the word for whoever does not see its colour. */
export const dot = (verdict) => [
  el('span', { class: `dot ${verdict}`, 'aria-hidden': 'true' }), el('span', { class: 'reader', text: `${t(`verdict.${verdict}`)}: ` }),
];

/** The ports of a process once each, those that others reach first. */
export function portList(process, limit = portsShown) {
  const outside = process.listen.filter((s) => s.scope !== 'loopback');
  const inside = process.listen.filter((s) => s.scope === 'loopback');
  const ports = [...new Set([...outside, ...inside].map((s) => s.port))];
  if (ports.length === 0) return '–';
  const first = ports.slice(0, limit).join(', ');
  return ports.length > limit ? t('process.ports', { first, n: ports.length - limit }) : first;
}

/** One warning with what to do about it. */
export function finding(f) {
  const kind = f.expected ? 'expected' : f.severity;
  return el('li', { class: `finding ${kind}` },
    icon(f.expected ? 'check' : pictures[f.severity] ?? 'note'),
    el('div', {},
      el('p', { class: 'finding-text' },
        el('strong', { text: f.warning }), el('span', { class: 'reader', text: ` ${t(`severity.${f.severity}`)}` }),
        f.expected ? el('span', { class: 'tag', text: t('finding.expected') }) : null, ` ${f.text}`),
      el('p', { class: 'advice', text: f.advice })));
}

/** The sentence of the verdict. */
export const summary = (process) => el('p', { class: `summary ${process.verdict}` },
  icon({ danger: 'siren', caution: 'warning', safe: 'check' }[process.verdict]),
  el('span', {}, el('strong', { text: t(`verdict.${process.verdict}`) }), ` ${process.summary}`));

/** What stands against ending a process. That it is off says nothing of it. */
export const obstacles = (process) => process.termination.reasons.filter((r) => r.code !== 'off');

export const isOff = (process) => process.termination.reasons.some((r) => r.code === 'off');

/** The button that ends a process, or the lock with the first reason. */
export function permission(process, onTerminate) {
  const against = obstacles(process);
  if (against.length === 0 && !isOff(process)) {
    return el('button', {
      type: 'button', class: 'button terminate', text: t('terminate.button'), 'data-action': 'terminate',
      'aria-label': t('terminate.label', { name: process.name, pid: process.pid }), onclick: () => onTerminate(process),
    });
  }
  const reasons = against.length > 0 ? against : process.termination.reasons;
  return el('p', { class: 'lock' }, icon('lock', 14), el('span', {},
    el('span', { class: 'reader', text: `${t('lock.label')}: ` }), reasonText(reasons[0]),
    reasons.length > 1 ? ` ${t('lock.more', { n: reasons.length - 1 })}` : ''));
}
