// The persons' API, as GET /api/ describes it.

async function call(method, path, body) {
  const response = await fetch('/api' + path, {
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
  file: (fileId) => '/api/files/' + encodeURIComponent(fileId),
};
