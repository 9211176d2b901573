// The console: puts its parts together.
import { get } from './api.js';
import { Details } from './detail.js';
import { byId, setText } from './dom.js';
import { clock } from './format.js';
import { Live } from './live.js';
import { Login } from './login.js';
import { LogPanel } from './logs.js';
import { isOff } from './process_parts.js';
import { ProcessPanel } from './processes.js';
import { showResources } from './resources.js';
import { route } from './route.js';
import { openServices, showServices } from './services.js';
import { bearer, onToken, openSession, setToken } from './session.js';
import { Store } from './store.js';
import { TerminateDialog } from './terminate.js';
import { TidyPanel } from './tidy.js';
import { language, loadWords, onLanguage, setLanguage, t } from './words.js';

openSession(); // before anything else: a token must not stay in the address
await loadWords();

const store = new Store();
const login = new Login();
const actions = {
  details: (process) => details.open(process),
  terminate: (process) => {
    byId('details').close();
    dialog.open(process);
  },
  askToken: (wrong) => login.ask(wrong),
  onEnded: (process) => {
    store.markEnded(process.identity);
    showProcesses();
  },
};
const dialog = new TerminateDialog(actions);
const details = new Details(store, actions);
const processes = new ProcessPanel(store, actions);
const tidy = new TidyPanel(store, actions);
const logs = new LogPanel();
const live = new Live(take, showStatus);
let logsAsked = null; // what the logs were opened for

/** Takes an event of the stream, or the answer of a call of the same name. */
function take(name, data) {
  setText(byId('updated'), clock());
  switch (name) {
    case 'resources':
      showResources(data);
      break;
    case 'services':
      showServices(data);
      break;
    case 'processes':
      store.replace(data);
      showProcesses();
      openRoute();
      break;
    case 'changes':
      store.change(data);
      showProcesses();
      break;
    case 'problem':
      showProblem(data);
      return;
    default:
      return;
  }
  hideProblem(name);
}

function showProcesses() {
  processes.show();
  tidy.show();
  details.refresh();
  openLogs();
}

const serverIsOff = () => [...store.rows.values()].some(isOff);

/** Opens the logs once it is known whether the server shows any. */
function openLogs() {
  const wanted = `${bearer() !== null} ${serverIsOff()}`;
  if (logsAsked === wanted) return;
  logsAsked = wanted;
  logs.open(serverIsOff());
  byId('token').hidden = serverIsOff();
}

function showProblem(data) {
  const note = document.querySelector(`[data-problem="${data.about}"]`);
  if (!note) return;
  setText(note, `${t('problem.part')} ${data.text}`);
  note.hidden = false;
}

function hideProblem(name) {
  const note = document.querySelector(`[data-problem="${name === 'changes' ? 'processes' : name}"]`);
  if (note) note.hidden = true;
}

let status = null;

/** Says how the page is connected; aloud only where that has changed for good. */
function showStatus(word, wait = 0) {
  const before = status;
  status = word;
  const box = byId('status');
  box.className = `status ${word}`;
  const seconds = Math.ceil(wait / 1000);
  setText(byId('status-text'), t(`status.${word}`, { seconds }));
  byId('away').hidden = !['away', 'failing', 'barred'].includes(word);
  setText(byId('away-text'), t(word === 'barred' ? 'problem.too-many-failed-logins' : 'status.awayLong', { seconds }));
  byId('locked-panel').hidden = word !== 'locked';
  byId('panels').hidden = word === 'locked';
  speak(word);
  if (word === 'locked') refuseToken();
  if (word === 'live' && before !== 'live') logsAsked = null;
}

let spoken = null;

/** Reads out what lasts: that the server is away, and that it is back. */
function speak(word) {
  if (!['live', 'polling', 'away', 'locked'].includes(word) || spoken === word) return;
  if (spoken !== null || word === 'away') setText(byId('announcer'), t(`status.${word}`));
  spoken = word;
}

let refused = false;

/** Forgets a token that the server does not take; it may show something without. */
function refuseToken() {
  if (bearer() !== null) {
    refused = true;
    setToken(null);
    return;
  }
  setText(byId('locked-text'), t(refused ? 'login.wrong' : 'login.needed'));
}

/** Opens what the address asks for, once the processes are there. */
async function openRoute() {
  const wanted = route();
  if (!wanted || openRoute.done === location.hash) return;
  openRoute.done = location.hash;
  let process = store.find(wanted.pid, wanted.identity);
  if (wanted.terminate) {
    dialog.open(process ?? { pid: wanted.pid, identity: wanted.identity ?? undefined });
    return;
  }
  try {
    process ??= await get(`processes/${wanted.pid}?language=${language()}`);
    details.open(process);
  } catch {
    setText(byId('announcer'), t('problem.not-found'));
  }
}

function showTab(name) {
  for (const view of ['processes', 'tidy']) {
    byId(`tab-${view}`).setAttribute('aria-selected', String(view === name));
    byId(`tab-${view}`).tabIndex = view === name ? 0 : -1;
    byId(`view-${view}`).hidden = view !== name;
  }
  showProcesses();
}

function openTabs() {
  const names = ['processes', 'tidy'];
  for (const name of names) byId(`tab-${name}`).addEventListener('click', () => showTab(name));
  byId('tabs').addEventListener('keydown', (event) => {
    if (!['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
    const other = names.find((name) => byId(`tab-${name}`).getAttribute('aria-selected') === 'false');
    showTab(other);
    byId(`tab-${other}`).focus();
  });
}

function showToken() {
  const known = bearer() !== null;
  setText(byId('token'), t(known ? 'token.forget' : 'token.enter'));
}

function showLanguage() {
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === language()));
  }
}

byId('token').addEventListener('click', () => (bearer() === null ? login.ask() : setToken(null)));
byId('locked-enter').addEventListener('click', () => login.ask());
byId('retry').addEventListener('click', () => live.start());
for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => setLanguage(button.dataset.language));
}
window.addEventListener('hashchange', () => {
  if (openSession()) setToken(bearer()); // a link was opened in a tab that shows the page already
  openRoute.done = null;
  openRoute();
});
onToken(() => {
  logsAsked = null;
  if (bearer() !== null) refused = false;
  showToken();
  live.start();
});
onLanguage(() => {
  showLanguage();
  showToken();
  showResources();
  showServices();
  showProcesses();
  details.translate();
  dialog.check();
  logs.translate(serverIsOff());
  live.start(); // the texts of the server come in the language that is asked for
});

openServices();
openTabs();
showToken();
showLanguage();
setInterval(() => showServices(), 30000); // "since" goes on
live.start();
document.documentElement.dataset.ready = 'true';
