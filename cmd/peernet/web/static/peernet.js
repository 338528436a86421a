// A peernet node in a web page.
//
//   import { open } from './peernet.js';
//   const node = await open({ bootstrap: 'wss://peer.example.org/peer' });
//   await node.ready();
//   node.on('request', (r) => r.type === 'search' && r.reply('found it'));
//   for await (const answer of node.search('search', 'it')) console.log(answer.data);
//   await node.close();
//
// peernet.d.ts describes each function. The program, peernet.wasm, and wasm_exec.js lie
// beside this file; several nodes of a page share one.

const here = new URL('.', import.meta.url);
let program; // a promise of the function that opens nodes

// load starts the program, if it does not run.
function load() {
  program ??= (async () => {
    if (!globalThis.Go) {
      await import(new URL('wasm_exec.js', here));
    }
    const go = new globalThis.Go();
    const source = await WebAssembly.instantiateStreaming(fetch(new URL('peernet.wasm', here)), go.importObject);
    const name = `__peernet_${Math.random().toString(36).slice(2)}`;
    return new Promise((resolve, reject) => {
      globalThis[name] = (open) => {
        delete globalThis[name];
        resolve(open);
      };
      go.argv = ['peernet', name];
      const ended = (error) => {
        program = undefined; // the next node starts it again
        reject(error ?? new Error('peernet: the program has ended'));
      };
      go.run(source.instance).then(() => ended(), ended);
    });
  })().catch((error) => {
    program = undefined;
    throw new Error(`peernet: the program could not be loaded from ${here}: ${error.message}`, { cause: error });
  });
  return program;
}

// What arguments must be.
function check(ok, what, value) {
  if (!ok) throw new TypeError(`peernet: ${what}, not ${value === null ? 'null' : typeof value}`);
}

function checkNumber(name, value, least = 0) {
  check(typeof value === 'number' && value >= least, `${name} must be a number from ${least} up`, value);
}

function checkText(name, value) {
  check(typeof value === 'string', `${name} must be a string`, value);
  return value;
}

function checkTexts(name, value) {
  check(typeof value === 'string' || Array.isArray(value) && value.every((x) => typeof x === 'string'), `${name} must be a string or an array of strings`, value);
}

// contentOf is data as the program takes it: a string or a Uint8Array.
function contentOf(data) {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  check(data === undefined, 'data must be a string, an ArrayBuffer or a view of one', data);
  return '';
}

const optionKinds = { network: 'string', database: 'string', connections: 'number', loopback: 'boolean' };

function checkOptions(options) {
  check(options !== null && typeof options === 'object', 'the options must be an object', options);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (name === 'bootstrap') {
      checkTexts(name, value);
    } else if (name === 'iceServers') {
      check(Array.isArray(value), 'iceServers must be an array', value);
      for (const server of value) {
        check(server !== null && typeof server === 'object', 'each of iceServers must be an object', server);
        checkTexts('urls of iceServers', server.urls);
      }
    } else {
      check(name in optionKinds, `there is no option ${name}: the value would be of no use`, value);
      check(typeof value === optionKinds[name], `${name} must be a ${optionKinds[name]}`, value);
    }
  }
}

const answersMax = 256; // that wait to be taken; further ones are dropped

const events = ['request', 'connect', 'disconnect', 'log'];

/** Opens a node; see peernet.d.ts. */
export async function open(options = {}) {
  checkOptions(options);
  const start = await load();
  const listeners = new Map(events.map((event) => [event, new Set()]));
  let raw;
  const emit = (event, value) => {
    if (event === 'request') {
      const { number } = value;
      delete value.number;
      value.reply = async (data, type = value.type) => raw.reply(number, checkText('type', type), contentOf(data));
    }
    for (const f of listeners.get(event)) {
      try {
        f(value);
      } catch (error) {
        reportError(error); // of one listener, and no other's business
      }
    }
  };
  raw = await start(options, emit);
  return new Node(raw, listeners);
}

/** A running node; see peernet.d.ts. */
export class Node {
  #raw;
  #listeners;

  constructor(raw, listeners) {
    this.#raw = raw;
    this.#listeners = listeners;
    this.id = raw.id;
  }

  async ready({ timeout = 30000 } = {}) {
    checkNumber('timeout', timeout);
    return this.#raw.ready(timeout);
  }

  async connect(address) { return this.#raw.connect(checkText('address', address)); }
  async disconnect(address) { return this.#raw.disconnect(checkText('address', address)); }
  async save(address) { return this.#raw.save(checkText('address', address)); }
  async remove(address) { return this.#raw.remove(checkText('address', address)); }
  connections() { return this.#raw.connections(); }
  known() { return this.#raw.known(); }
  counts() { return this.#raw.counts(); }
  close() { return this.#raw.close(); }

  async announce(type, data, { limit = 0 } = {}) {
    checkNumber('limit', limit);
    return this.#raw.announce(checkText('type', type), contentOf(data), limit);
  }

  async *search(type, data, { limit = 0, timeout = 5000 } = {}) {
    checkNumber('limit', limit);
    checkNumber('timeout', timeout);
    const waiting = [];
    let wake, over = false, failure;
    const answers = (answer) => {
      if (waiting.length < answersMax) waiting.push(answer);
      wake?.();
    };
    const call = {};
    this.#raw.search(checkText('type', type), contentOf(data), limit, timeout, answers, call)
      .catch((error) => { failure = error; })
      .then(() => {
        over = true;
        wake?.();
      });
    try {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift();
        if (failure) throw failure;
        if (over) return;
        await new Promise((resolve) => { wake = resolve; });
      }
    } finally {
      call.stop?.();
    }
  }

  on(event, listener) {
    check(events.includes(event), `the event must be one of ${events.join(', ')}`, event);
    check(typeof listener === 'function', 'the listener must be a function', listener);
    this.#listeners.get(event).add(listener);
    return () => this.off(event, listener);
  }

  off(event, listener) { this.#listeners.get(event)?.delete(listener); }
}
