// The panel SERVICES: what should run, and how it is.
import { byId, el, reconcile, setText } from './dom.js';
import { ago, count, moment } from './format.js';
import { language, t, tCode } from './words.js';

const ranks = { bad: 0, warn: 1, good: 2 };
let last = null;
let all = false;

export function openServices() {
  byId('services-all').addEventListener('click', () => {
    all = !all;
    showServices();
  });
}

/** Shows a list, or the last one in another language. */
export function showServices(page = null) {
  last = page ?? last;
  if (!last) return;
  const notable = last.services.filter((s) => s.configured || s.health !== 'good');
  const few = notable.length === 0 ? last.services.slice(0, 10) : notable;
  const shown = [...(all ? last.services : few)].sort(byRank);
  reconcile(byId('services'), shown, (s) => s.name, renderRow);
  const more = byId('services-all');
  more.hidden = last.services.length <= few.length;
  more.setAttribute('aria-pressed', String(all));
  setText(more, all ? t('services.few') : t('services.all', { n: count(last.services.length) }));
  byId('services-note').hidden = !last.degraded;
  byId('services-none').hidden = last.services.length > 0;
}

const byRank = (a, b) => Number(b.configured) - Number(a.configured) || ranks[a.health] - ranks[b.health] || (a.name < b.name ? -1 : 1);

function renderRow(service, known) {
  const state = [service.state, service.since, service.health, language(), service.description].join(' ');
  if (known?.state === state) {
    if (service.since) setText(known.since, ago(service.since));
    return known;
  }
  const since = el('span', { class: 'service-since', title: service.since ? moment(service.since) : null,
    text: service.since ? ago(service.since) : '' });
  const row = el('li', { class: `service ${service.health}` },
    el('span', { class: 'dot', 'aria-hidden': 'true' }),
    el('span', { class: 'service-name', title: service.description ?? '', text: service.name }),
    since,
    el('span', { class: 'service-state', text: `[ ${tCode('state', service.state)} ]` }),
    el('span', { class: 'reader', text: t(`health.${service.health}`) }));
  return Object.assign(row, { state, since });
}
