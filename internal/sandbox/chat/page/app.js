// The page: people's chats side by side, tabs to choose whose, the control panel beside them, one stream of changes for all.

import { api } from './api.js';
import { Column } from './column.js';
import { byID, make, openDialog } from './dom.js';
import { chooseShown, fits } from './layout.js';
import { Panel } from './panel.js';

const remembered = 'sandbox.open-chats';
const columns = new Map(); // person id -> Column
const unread = new Set();
let recent = []; // person ids, the one that was used last first
let panel = null;

const narrow = matchMedia('(max-width: 720px)');

function remember() {
  localStorage.setItem(remembered, JSON.stringify([...columns.keys()]));
}

function openChat(person) {
  if (!columns.has(person.id)) {
    const column = new Column(person, { close: closeChat, news: () => notice(person.id) });
    columns.set(person.id, column);
    byID('chats').append(column.element);
    column.element.addEventListener('focusin', () => { if (!narrow.matches) use(person.id); });
    column.refresh();
  }
  remember();
  activate(person.id);
}

function closeChat(id) {
  columns.get(id).element.remove();
  columns.delete(id);
  recent = recent.filter((one) => one !== id);
  remember();
  arrange();
}

function use(id) {
  recent = [id, ...recent.filter((one) => one !== id)];
}

// activate brings a chat to the front: on a narrow screen it is the only one.
function activate(id) {
  use(id);
  if (narrow.matches) panel?.toggle(false);
  arrange();
}

function notice(id) {
  if (columns.get(id)?.element.classList.contains('shown')) return;
  unread.add(id);
  drawTabs();
}

// arrange shows as many chats as there is room for.
function arrange() {
  const covered = narrow.matches && panel?.isOpen;
  byID('chats').hidden = covered;
  const all = recent.map((id) => columns.get(id)).filter(Boolean);
  const count = narrow.matches ? 1 : fits(byID('chats').clientWidth);
  const shown = chooseShown(all.map((column) => ({ id: column.person.id, isAdmin: column.person.is_admin })), count);
  for (const [id, column] of columns) {
    column.element.classList.toggle('shown', shown.includes(id));
    column.element.classList.toggle('active', id === recent[0]);
    if (shown.includes(id) && !covered) unread.delete(id);
  }
  drawTabs();
}

function drawTabs() {
  const focused = document.activeElement?.dataset?.person;
  byID('tabs').replaceChildren(...[...columns.values()].map((column) => {
    const { id, first_name: name, is_admin: isAdmin } = column.person;
    const isShown = column.element.classList.contains('shown') && !byID('chats').hidden;
    return make('button', {
      type: 'button', role: 'tab', class: 'tab' + (isShown ? ' open' : ''), testid: 'tab-' + id, 'data-person': 'tab ' + id,
      'aria-selected': String(id === recent[0] && !byID('chats').hidden), onclick: () => activate(id),
    }, make('span', { dir: 'auto' }, name), isAdmin && make('span', { class: 'badge' }, 'admin'),
    unread.has(id) && make('span', { class: 'unread', testid: 'unread' }, make('span', { class: 'unseen' }, 'new messages')));
  }));
  if (focused) [...byID('tabs').children].find((tab) => tab.dataset.person === focused)?.focus();
}

function prepareTabs() {
  byID('tabs').addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = [...byID('tabs').children];
    const at = tabs.indexOf(document.activeElement);
    tabs[(at + step + tabs.length) % tabs.length]?.focus();
    event.preventDefault();
  });
  new ResizeObserver(() => arrange()).observe(byID('chats'));
  narrow.addEventListener('change', () => arrange());
}

// listen follows the stream; after a gap everything is read again.
function listen() {
  const stream = new EventSource('/api/events');
  let gap = false;
  stream.addEventListener('open', () => {
    byID('state').hidden = true;
    if (gap) columns.forEach((column) => column.refresh());
    gap = false;
  });
  stream.addEventListener('error', () => {
    gap = true;
    byID('state').hidden = false;
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
  stream.addEventListener('chat', (event) => columns.get(JSON.parse(event.data).person)?.refresh());
}

function prepareDialog() {
  const dialog = byID('new-person');
  const form = dialog.querySelector('form');
  byID('add').addEventListener('click', async () => {
    byID('new-person-error').textContent = '';
    form.reset();
    const others = (await api.people()).filter((one) => !columns.has(one.id)).slice(-200);
    byID('existing-row').hidden = others.length === 0;
    byID('existing').replaceChildren(make('option', { value: '' }, 'somebody who is there already'),
      ...others.map((one) => make('option', { value: one.id }, `${one.first_name} (${one.id})`)));
    openDialog(dialog);
  });
  byID('existing').addEventListener('change', async (event) => {
    dialog.close();
    openByID(Number(event.target.value));
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    try {
      openChat(await api.addPerson({
        first_name: fields.get('first_name').trim(), username: fields.get('username'),
        language_code: fields.get('language_code'), is_admin: fields.has('is_admin'),
      }));
      dialog.close();
    } catch (error) {
      byID('new-person-error').textContent = error.message;
    }
  });
}

async function openByID(id) {
  const person = (await api.people()).find((one) => one.id === id);
  if (person) openChat(person);
}

async function begin() {
  const settings = await api.settings();
  document.title = byID('title').textContent = settings.title;
  const people = await api.people();
  const first = settings.people?.length ? settings.people : people.slice(0, 2).map((one) => one.id);
  let last = [];
  try {
    last = JSON.parse(localStorage.getItem(remembered)) || [];
  } catch { /* damaged: the first people are enough */ }
  const ids = last.length ? last : first;
  let open = people.filter((one) => ids.includes(one.id));
  if (open.length === 0) open = people.filter((one) => first.includes(one.id));
  if (settings.has_panel) {
    panel = new Panel(byID('panel'), { links: settings.links || [], openPerson: openByID, changed: arrange, isNarrow: () => narrow.matches });
  } else {
    byID('panel-toggle').hidden = true;
  }
  open.forEach(openChat);
  if (open.length) activate(open[0].id);
  panel?.begin();
  prepareTabs();
  prepareDialog();
  listen();
}

begin().catch((error) => {
  byID('state').textContent = 'The sandbox does not answer: ' + error.message;
  byID('state').hidden = false;
});
