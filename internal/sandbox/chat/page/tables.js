// What the database knows: books, ledger, components, queues, jobs, dead letters.

import { make, money } from './dom.js';

// drawn keeps an element as it is while what it shows stays the same.
function drawn(element, data, children) {
  const key = JSON.stringify(data);
  if (element.dataset.key === key) return false;
  element.dataset.key = key;
  element.replaceChildren(...children().flat().filter(Boolean));
  return true;
}

function moment(text) {
  return new Date(text).toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

const words = (name) => name.replaceAll('_', ' ');

// drawBooks shows ops.reconcile(); null stands for no answer.
export function drawBooks(chip, element, books) {
  chip.hidden = false;
  chip.className = 'chip ' + (books === null ? 'unknown' : books.is_balanced ? 'good' : 'bad');
  const text = books === null ? 'Books: no answer' : books.is_balanced ? 'Books balance' : `Books differ: ${books.rows.length}`;
  if (chip.textContent !== text) chip.textContent = text;
  drawn(element, books && [books.is_balanced, books.rows], () => {
    if (books === null) return [make('p', { class: 'quiet' }, 'The database does not answer.')];
    if (books.is_balanced) return [make('p', { class: 'verdict good' }, 'ops.reconcile() has no rows: the books balance.')];
    return [make('p', { class: 'verdict bad' }, 'ops.reconcile() says:'),
      make('ul', { class: 'rows' }, books.rows.map((row) => make('li', {}, make('b', {}, row.check), ' ', row.subject, make('small', {}, row.detail))))];
  });
}

// drawLedger shows transfers; whoever's they are is a button that opens the chat.
export function drawLedger(element, transfers, names, openPerson) {
  const before = new Set([...element.querySelectorAll('[data-transfer]')].map((row) => row.dataset.transfer));
  drawn(element, [transfers, [...names]], () => {
    if (transfers.length === 0) return [make('p', { class: 'quiet' }, 'No money has moved yet.')];
    return [make('ul', { class: 'rows transfers' }, transfers.map((one) => {
      const sign = one.to === 'available' ? '+' : one.from === 'available' ? '−' : '';
      return make('li', {
        class: before.size && !before.has(String(one.transfer_id)) ? 'fresh' : '', testid: 'transfer',
        'data-transfer': one.transfer_id, 'data-reason': one.reason,
      },
      make('div', { class: 'line' },
        make('button', { type: 'button', class: 'who-link', dir: 'auto', title: `Open the chat of ${one.telegram_id}`, onclick: () => openPerson(one.telegram_id) }, names.get(one.telegram_id) || String(one.telegram_id)),
        make('span', { class: 'reason' }, words(one.reason)),
        make('b', { class: 'sum ' + (sign === '+' ? 'plus' : sign ? 'minus' : '') }, sign + money(one.amount_kopecks, 'RUB'))),
      make('small', { class: 'line' },
        make('span', {}, moment(one.at)), make('span', {}, `${words(one.from)} → ${words(one.to)}`),
        one.what && make('span', { dir: 'auto' }, one.what),
        make('span', { class: 'after' }, 'has ' + money(one.available_kopecks, 'RUB'),
          one.held_kopecks > 0 && `, held ${money(one.held_kopecks, 'RUB')}`, one.debt_kopecks > 0 && `, owes ${money(one.debt_kopecks, 'RUB')}`)));
    }))];
  });
}

// drawWork shows the rest, folded; what needs a look says so in its heading.
export function drawWork(element, work) {
  if (!element.firstChild) {
    for (const name of ['components', 'queues', 'jobs', 'letters']) {
      element.append(make('details', { class: 'card', testid: name }, make('summary', {}), make('div', {})));
    }
  }
  const [components, queues, jobs, letters] = element.children;
  const ill = work.components.filter((one) => one.state !== 'up');
  const waiting = work.queues.reduce((sum, one) => sum + one.due + one.in_hand + one.later, 0);
  const failing = work.jobs.filter((one) => one.consecutive_failures > 0);
  fold(components, 'Components', ill.length ? `${ill.length} not up` : 'all up', ill.length > 0, work.components, drawComponent);
  fold(queues, 'Outbox', waiting ? `${waiting} waiting` : 'nothing waits', waiting > 0, work.queues, drawQueue);
  fold(jobs, 'Jobs', failing.length ? `${failing.length} failing` : 'all well', failing.length > 0, work.jobs, drawJob);
  fold(letters, 'Dead letters', String(work.dead_letters.length), work.dead_letters.length > 0, work.dead_letters, drawLetter);
}

function fold(element, title, count, isNews, rows, draw) {
  const [summary, body] = element.children;
  drawn(summary, [count, isNews], () => [make('span', {}, title), make('span', { class: 'count' + (isNews ? ' news' : '') }, count)]);
  drawn(body, rows, () => (rows.length ? [make('ul', { class: 'rows' }, rows.map(draw))] : [make('p', { class: 'quiet' }, 'None.')]));
}

function row(isWell, name, state, detail) {
  return make('li', {}, make('div', { class: 'line' }, make('b', {}, name), make('span', { class: 'pill ' + (isWell ? 'well' : 'ill') }, state)), detail && make('small', {}, detail));
}

const drawComponent = (one) => row(one.state === 'up', one.name, one.state, one.detail);

const drawQueue = (one) => row(one.last_error === undefined, `${one.kind}: ${words(one.name)}`,
  [one.due && `${one.due} due`, one.in_hand && `${one.in_hand} in hand`, one.later && `${one.later} later`].filter(Boolean).join(', '),
  [one.attempt > 1 && `attempt ${one.attempt}`, one.next_at && one.later > 0 && `due ${moment(one.next_at)}`, one.last_error].filter(Boolean).join(' · '));

const drawJob = (one) => row(one.consecutive_failures === 0 && one.is_enabled, one.name,
  one.is_enabled ? (one.consecutive_failures ? `failed ${one.consecutive_failures}×` : one.schedule) : 'off',
  [one.last_finished_at ? `last ${moment(one.last_finished_at)}, ${one.last_items ?? 0} done` : 'has not run', one.last_error].filter(Boolean).join(' · '));

const drawLetter = (one) => row(false, one.job, moment(one.at), `${one.subject}: ${one.error}`);
