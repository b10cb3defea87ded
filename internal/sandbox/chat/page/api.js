// The persons' API, as GET /api/ describes it, and the panel's, as GET /panel/ does.

async function call(method, path, body, base = '/api') {
  const response = await fetch(base + path, {
    method,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({ error: response.statusText }));
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

const person = (id) => '/people/' + encodeURIComponent(id);

export const api = {
  settings: () => fetch('/page.json').then((r) => r.json()),
  people: () => call('GET', '/people'),
  addPerson: (who) => call('POST', '/people', who),
  chat: (id) => call('GET', person(id) + '/chat?limit=200'),
  send: (id, text) => call('POST', person(id) + '/messages', { text }),
  press: (id, messageId, data) => call('POST', person(id) + '/press', { message_id: messageId, data }),
  invoice: (id, slug) => call('GET', person(id) + '/invoices/' + encodeURIComponent(slug)),
  pay: (id, what) => call('POST', person(id) + '/pay', what),
  block: (id, blocked) => call('POST', person(id) + (blocked ? '/block' : '/unblock'), {}),
  services: () => call('GET', '/services', undefined, '/panel'),
  order: (name, action) => call('POST', '/services/' + encodeURIComponent(name), { action }, '/panel'),
  clock: () => call('GET', '/clock', undefined, '/panel'),
  advance: (seconds) => call('POST', '/clock', { advance_seconds: seconds }, '/panel'),
  books: () => call('GET', '/books', undefined, '/panel'),
  ledger: () => call('GET', '/ledger?limit=50', undefined, '/panel'),
  work: () => call('GET', '/work', undefined, '/panel'),
  file: (fileId) => '/api/files/' + encodeURIComponent(fileId),
};
