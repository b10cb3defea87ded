// The page: columns side by side, tabs on a narrow screen, one stream of changes for all.

import { api } from './api.js';
import { Column } from './column.js';
import { byID, make, openDialog } from './dom.js';

const remembered = 'sandbox.open-chats';
const columns = new Map(); // person id -> Column
let active = null;

function remember() {
  localStorage.setItem(remembered, JSON.stringify([...columns.keys()]));
}

function openChat(person) {
  if (!columns.has(person.id)) {
    const column = new Column(person, closeChat);
    columns.set(person.id, column);
    byID('chats').append(column.element);
    column.refresh();
  }
  remember();
  activate(person.id);
}

function closeChat(id) {
  columns.get(id).element.remove();
  columns.delete(id);
  remember();
  activate([...columns.keys()][0] ?? null);
}

// activate chooses the chat that a narrow screen shows.
function activate(id) {
  active = id;
  for (const [person, column] of columns) column.element.classList.toggle('active', person === id);
  byID('tabs').replaceChildren(...[...columns.values()].map((column) => make('button', {
    type: 'button', role: 'tab', class: 'tab', testid: 'tab-' + column.person.id, 'aria-selected': String(column.person.id === id),
    onclick: () => activate(column.person.id),
  }, column.person.first_name, column.person.is_admin && make('span', { class: 'badge' }, 'admin'))));
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
    const person = (await api.people()).find((one) => String(one.id) === event.target.value);
    dialog.close();
    if (person) openChat(person);
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

async function begin() {
  const settings = await api.settings();
  document.title = byID('title').textContent = settings.title;
  byID('links').append(...(settings.links || []).map((one) => make('a', { href: one.url, target: '_blank', rel: 'noopener' }, one.name)));
  const people = await api.people();
  const first = settings.people?.length ? settings.people : people.slice(0, 2).map((one) => one.id);
  let last = [];
  try {
    last = JSON.parse(localStorage.getItem(remembered)) || [];
  } catch { /* damaged: the first people are enough */ }
  const ids = last.length ? last : first;
  let open = people.filter((one) => ids.includes(one.id));
  if (open.length === 0) open = people.filter((one) => first.includes(one.id));
  open.forEach(openChat);
  if (columns.size) activate([...columns.keys()][0]);
  prepareDialog();
  listen();
}

begin().catch((error) => {
  byID('state').textContent = 'The sandbox does not answer: ' + error.message;
  byID('state').hidden = false;
});
