// Addresses of this page: #/process/PID/IDENTITY shows a process, with /terminate
// behind it the dialog that asks whether to end it. Dashboards link to them.

const form = /^#\/process\/(\d{1,10})(?:\/(\d[A-Za-z0-9_.:-]{0,99}))?(\/terminate)?$/;

/** What the address asks for, null for the page itself. */
export function route() {
  const found = form.exec(location.hash);
  if (!found) return null;
  return { pid: Number(found[1]), identity: found[2] ?? null, terminate: found[3] !== undefined };
}

/** Puts a process into the address, so that it can be passed on. */
export function goTo(process, terminate = false) {
  const wanted = `#/process/${process.pid}/${process.identity}${terminate ? '/terminate' : ''}`;
  if (location.hash !== wanted) history.replaceState(null, '', wanted);
}

/** Takes it out again. */
export function leave() {
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
}
