// The page: a node, and what it has to show.
import { open } from './peernet.js';

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const messagesMax = 100;

function state(text, bad = false) {
  $('state').textContent = text;
  $('state').classList.toggle('bad', bad);
}

// show fills a list, or says that there is nothing.
function show(list, items, nothing) {
  list.replaceChildren(...items);
  if (items.length === 0) {
    const none = document.createElement(list.tagName === 'TBODY' ? 'tr' : 'li');
    if (list.tagName === 'TBODY') {
      const cell = none.insertCell();
      cell.colSpan = 5;
      cell.className = 'none';
      cell.textContent = nothing;
    } else {
      none.className = 'none';
      none.textContent = nothing;
    }
    list.append(none);
  }
}

// add puts a message on top of a list.
function add(list, message) {
  list.querySelector('.none')?.remove();
  const item = document.createElement('li');
  item.textContent = message.data ?? `${message.bytes.length} bytes`;
  const how = document.createElement('small');
  how.textContent = ` ${message.type}, ${message.hops} ${message.hops === 1 ? 'link' : 'links'} away`;
  item.append(how);
  list.prepend(item);
  while (list.children.length > messagesMax) list.lastElementChild.remove();
}

function age(since) {
  const s = Math.max(0, Math.round((Date.now() - since) / 1000));
  return s < 120 ? `${s} s` : s < 7200 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3600)} h`;
}

function row(c) {
  const tr = document.createElement('tr');
  const cells = [[c.transport || 'unknown', c.transport], [c.id.slice(0, 8)], [c.outbound ? 'outbound' : 'inbound'], [c.remote || 'not told'], [age(c.since), 'number']];
  for (const [text, style] of cells) {
    const td = tr.insertCell();
    td.textContent = text;
    if (style) td.className = style;
  }
  tr.title = c.id;
  return tr;
}

// does has a form run f while its button is disabled, and says what went wrong.
function does(form, f) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button'), wrong = form.querySelector('.error');
    button.disabled = true;
    wrong.textContent = '';
    try {
      await f(new FormData(form), form);
    } catch (error) {
      wrong.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
}

async function run() {
  const name = $('name');
  name.value = query.get('name') ?? `page ${Math.random().toString(36).slice(2, 6)}`;
  const { bootstrap, network, iceServers, loopback } = await (await fetch('node.json')).json();
  const node = await open({
    bootstrap: query.getAll('bootstrap').length > 0 ? query.getAll('bootstrap') : bootstrap ?? new URL('peer', location.href.replace(/^http/, 'ws')).href,
    network,
    // Who follows a link into another network does not mix the address books.
    database: query.get('database') ?? (query.has('bootstrap') ? undefined : 'page'),
    loopback,
    iceServers,
  });
  addEventListener('pagehide', () => node.close());
  globalThis.node = node; // for the console
  $('id').textContent = node.id;
  state('Looking for peers …');
  node.on('log', (line) => console.info(line.trimEnd()));
  node.on('request', (request) => {
    if (request.type === 'search') {
      request.reply(name.value).catch(() => {}); // the way back may be gone
    }
    add($('heard'), request);
  });
  does($('announce'), async (data, form) => {
    await node.announce(data.get('type'), data.get('data'));
    form.elements.data.value = '';
  });
  does($('search'), async (data) => {
    show($('answers'), [], 'asking …');
    let count = 0;
    for await (const answer of node.search(data.get('type'), data.get('data'), { timeout: 4000 })) {
      add($('answers'), answer);
      count++;
    }
    if (count === 0) show($('answers'), [], 'nobody answered');
  });
  does($('connect'), async (data, form) => {
    await node.connect(data.get('address').trim());
    form.reset();
  });

  let before, wake;
  for (const event of ['connect', 'disconnect']) node.on(event, () => wake?.());
  for (;;) {
    const [connections, known] = await Promise.all([node.connections(), node.known()]);
    const by = {};
    for (const c of connections) by[c.transport] = (by[c.transport] ?? 0) + 1;
    $('transports').textContent = Object.entries(by).map(([t, n]) => `${n} by ${t}`).join(', ');
    show($('connections'), connections.map(row), 'none');
    $('known-count').textContent = String(known.length);
    show($('known'), known.map((k) => {
      const item = document.createElement('li');
      item.textContent = k.address;
      return item;
    }), 'none yet');
    const now = connections.length === 0 ? 'No connection: is there a peer to bootstrap from?' : `Connected to ${connections.length} ${connections.length === 1 ? 'peer' : 'peers'}`;
    if (now !== before) state(now, connections.length === 0 && before !== undefined);
    before = now;
    await new Promise((resolve) => { wake = resolve; setTimeout(resolve, 1000); });
  }
}

run().catch((error) => state(`The node could not run: ${error.message}`, true));
