// The panel RESOURCES: how much of the machine is in use, and how that was lately.
import { byId, el, reconcile, setText, shape } from './dom.js';
import { bytes, percent, span } from './format.js';
import { t } from './words.js';

const segments = 20; // of a bar
const kept = 60; // readings of a history
const tiny = 1 << 24; // a smaller disk holds no data of anybody
const inMemory = ['tmpfs', 'ramfs', 'devtmpfs'];
const histories = new Map();
let last = null;

/** Shows a reading, or the last one in another language. */
export function showResources(reading = null) {
  if (reading) remember(reading);
  last = reading ?? last;
  if (!last) return;
  reconcile(byId('resources'), rowsOf(last), (row) => row.key, renderRow);
}

function remember(reading) {
  for (const row of rowsOf(reading)) {
    if (row.ratio === undefined) continue;
    const history = histories.get(row.key) ?? [];
    history.push(row.ratio);
    histories.set(row.key, history.slice(-kept));
  }
}

/** The lines of the panel: those whose facts the machine does not tell are left out. */
function rowsOf(r) {
  const rows = [
    { key: 'cpu', label: t('resources.cpu'), ratio: r.cpu.ratio, health: r.cpu.health,
      note: r.cpu.cores === null ? '' : t('resources.cores', { n: r.cpu.cores }) },
    { key: 'memory', label: t('resources.memory'), ratio: r.memory.ratio, health: r.memory.health,
      note: pair(r.memory.used_bytes, r.memory.total_bytes) },
  ];
  if (r.swap.total_bytes) {
    rows.push({ key: 'swap', label: t('resources.swap'), ratio: r.swap.ratio, health: r.swap.health,
      note: pair(r.swap.used_bytes, r.swap.total_bytes) });
  }
  for (const disk of shownDisks(r.filesystems)) {
    const marks = [disk.read_only && t('resources.readOnly'), !disk.answers && t('resources.silent')].filter(Boolean);
    rows.push({ key: `disk ${disk.mountpoint} ${disk.device}`, label: t('resources.disk'), subject: disk.mountpoint,
      ratio: disk.ratio, health: disk.health, note: [pair(disk.used_bytes, disk.size_bytes), ...marks].join(' · ') });
  }
  if (r.load.load1 !== null) {
    rows.push({ key: 'load', label: t('resources.load'), health: r.load.health,
      value: [r.load.load1, r.load.load5, r.load.load15].map((n) => n?.toFixed(2) ?? '–').join(' ') });
  }
  rows.push({ key: 'uptime', label: t('resources.uptime'), health: 'good', plain: true, value: r.uptime.text || '–',
    note: r.uptime.seconds === null ? '' : span(r.uptime.seconds) });
  return rows;
}

const pair = (used, all) => (used === null || all === null ? '' : `${bytes(used)} / ${bytes(all)}`);

/**
 * One line for each device, the fullest first: a container sees some many times.
 * Those in memory are worth one only where they fill up.
 */
function shownDisks(all) {
  const byDevice = new Map();
  for (const disk of all) {
    if (disk.size_bytes !== null && disk.size_bytes < tiny) continue;
    if (inMemory.includes(disk.fstype) && disk.health === 'good') continue;
    const key = `${disk.device} ${disk.size_bytes}`;
    const known = byDevice.get(key);
    if (!known || disk.mountpoint.length < known.mountpoint.length) byDevice.set(key, disk);
  }
  return [...byDevice.values()].sort((a, b) => (b.ratio ?? 2) - (a.ratio ?? 2)).slice(0, 6);
}

function renderRow(row, known) {
  const line = known ?? makeRow(row);
  const parts = line.parts;
  const health = row.health || 'unknown';
  line.className = `resource ${health}`;
  setText(parts.label, row.label);
  setText(parts.subject, row.subject ?? '');
  setText(parts.value, row.value ?? percent(row.ratio));
  setText(parts.word, row.plain ? '' : t(`health.${health}`));
  setText(parts.note, row.note ?? '');
  if (row.ratio !== undefined) drawBar(parts.bar, row);
  if (row.ratio !== undefined) drawHistory(parts.history, histories.get(row.key) ?? []);
  return line;
}

function makeRow(row) {
  const parts = {
    label: el('span', { class: 'resource-label' }), subject: el('span', { class: 'resource-subject' }),
    value: el('span', { class: 'resource-value' }), word: el('span', { class: 'resource-word' }),
    note: el('span', { class: 'resource-note' }),
  };
  const line = el('li', { class: 'resource' },
    el('div', { class: 'resource-head' }, parts.label, parts.subject, parts.note, parts.word, parts.value));
  if (row.ratio !== undefined) {
    parts.bar = shape('svg', { class: 'bar', role: 'img', viewBox: `0 0 ${segments * 10 - 2} 10`, preserveAspectRatio: 'none' });
    parts.history = shape('svg', { class: 'history', 'aria-hidden': 'true', viewBox: `0 0 ${kept} 20`, preserveAspectRatio: 'none' });
    line.append(el('div', { class: 'resource-meter' }, parts.bar, parts.history));
  }
  line.parts = parts;
  return line;
}

/** A bar of segments, as on a display of liquid crystal. */
function drawBar(bar, row) {
  const lit = row.ratio === null ? 0 : Math.ceil(row.ratio * segments - 0.001);
  bar.setAttribute('aria-label', `${row.label} ${row.subject ?? ''} ${percent(row.ratio)}`);
  if (bar.dataset.lit === String(lit)) return;
  bar.dataset.lit = lit;
  bar.replaceChildren(...Array.from({ length: segments }, (_, i) => shape('rect', {
    x: i * 10, y: 0, width: 8, height: 10, class: i < lit ? 'lit' : 'unlit',
  })));
}

/** The readings of late as columns, the latest at the right. */
function drawHistory(picture, history) {
  const start = kept - history.length;
  let path = '';
  history.forEach((ratio, i) => {
    if (ratio === null) return;
    const height = Math.max(1, Math.round(ratio * 20));
    path += `M${start + i} 20v-${height}h1v${height}z`;
  });
  picture.replaceChildren(shape('path', { d: path }));
}
