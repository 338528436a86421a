// A peernet node in a web page.
//
//   import { open } from './peernet.js';
//   const node = await open({ bootstrap: 'wss://peer.example.org/peer' });
//   node.on('request', (r) => r.type === 'search' && r.reply('found it'));
//   for await (const answer of node.search('search', 'it')) console.log(answer.data);
//   await node.close();
//
// peernet.d.ts describes each function. The program, peernet.wasm, and wasm_exec.js lie
// beside this file; several nodes of a page share one.

const here = new URL('.', import.meta.url);
let program; // a promise of the function that opens nodes

// load starts the program, once.
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
      go.run(source.instance).then(() => reject(new Error('peernet: the program has ended')), reject);
    });
  })();
  program.catch(() => { program = undefined; });
  return program;
}

/** Opens a node; see peernet.d.ts. */
export async function open(options = {}) {
  const start = await load();
  const listeners = new Map();
  let raw;
  const emit = (event, value) => {
    if (event === 'request') {
      const { number } = value;
      delete value.number;
      value.reply = (data, type = value.type) => raw.reply(number, type, data);
    }
    for (const f of listeners.get(event) ?? []) {
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

  connect(address) { return this.#raw.connect(String(address)); }
  disconnect(address) { return this.#raw.disconnect(String(address)); }
  save(address) { return this.#raw.save(String(address)); }
  remove(address) { return this.#raw.remove(String(address)); }
  connections() { return this.#raw.connections(); }
  known() { return this.#raw.known(); }
  counts() { return this.#raw.counts(); }
  close() { return this.#raw.close(); }

  announce(type, data = '', { limit = 0 } = {}) { return this.#raw.announce(String(type), data, limit); }

  async *search(type, data = '', { limit = 0, timeout = 5000 } = {}) {
    const waiting = [];
    let wake, wanted = true, over = false, failure;
    const call = this.#raw.search(String(type), data, limit, timeout, (answer) => {
      waiting.push(answer);
      wake?.();
      return wanted;
    });
    call.then(() => {}, (error) => { failure = error; }).then(() => { over = true; wake?.(); });
    try {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift();
        if (failure) throw failure;
        if (over) return;
        await new Promise((resolve) => { wake = resolve; });
      }
    } finally {
      wanted = false;
    }
  }

  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
    return () => this.off(event, listener);
  }

  off(event, listener) { this.#listeners.get(event)?.delete(listener); }
}
