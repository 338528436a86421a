/** A peernet node in a web page: a full peer, over WebSocket and WebRTC. */

export interface Options {
  /**
   * Where to look for the first peers, as wss://host:port/path; pages of http may use ws.
   * The address book keeps these for good.
   */
  bootstrap?: string | string[];
  /** The name of the network; nodes of other names are refused. Default ''. */
  network?: string;
  /**
   * The name of the IndexedDB database that keeps the address book. Default is none: the
   * book is in memory, as it is where the browser forbids IndexedDB. Two nodes that have
   * one database open see what the other saved when they are opened again.
   */
  database?: string;
  /** Outbound connections to keep, half of them by WebRTC. Default 5. */
  connections?: number;
  /** STUN and TURN servers. Default none. */
  iceServers?: { urls: string | string[]; username?: string; credential?: string }[];
  /** Let peers name loopback addresses: for nodes on one machine. Default false. */
  loopback?: boolean;
}

/** A connection in use. */
export interface Connection {
  /** What the peer calls itself, 32 hexadecimal digits; not authenticated. */
  id: string;
  transport: 'ws' | 'wss' | 'webrtc' | '';
  /** Where it can be reached, '' if that is not known. */
  address: string;
  /** Where it is seen, '' if the browser does not tell. */
  remote: string;
  /** Whether this node opened it. */
  outbound: boolean;
  /** Of the wire, 2 or 3. */
  version: number;
  /** When it was opened, in milliseconds since 1970. */
  since: number;
  /** Bytes. */
  received: number;
  /** Bytes. */
  sent: number;
}

/** What an address book knows of an address. */
export interface Known {
  address: string;
  /** Given by the user, and never forgotten. */
  saved: boolean;
  /** How often it answered. */
  ok: number;
  /** How often it did not. */
  failed: number;
}

/** What is announced or answered. */
export interface Message {
  /** At most 64 bytes, without a leading underscore, and not signal.webrtc. */
  type: string;
  /** The data as text; null if it is no UTF-8. */
  data: string | null;
  /** The data, at most 1024 bytes. */
  bytes: Uint8Array;
  /** Links that it travelled. */
  hops: number;
}

/** What can be sent: text, or bytes, at most 1024. */
export type Data = string | ArrayBuffer | ArrayBufferView;

/** An announce of another node. The last 256 can be answered. */
export interface Request extends Message {
  /** Sends an answer back; its type is that of the request if none is given. */
  reply(data: Data, type?: string): Promise<void>;
}

export interface Events {
  /** Somebody announced something. */
  request: Request;
  /** A connection is in use; the value is where it was dialled, or the peer is seen, or ''. */
  connect: string;
  /** A connection has ended. */
  disconnect: string;
  /** Something to show a developer. */
  log: string;
}

export class Node {
  private constructor();
  /** The node's id, 32 hexadecimal digits, another one in each run. */
  readonly id: string;
  /**
   * Resolves when the node has a connection; what is announced before reaches nobody. It
   * fails when timeout, in milliseconds, is over (default 30000; Infinity is never).
   */
  ready(options?: { timeout?: number }): Promise<void>;
  /** Dials an address and resolves when the connection is in use. */
  connect(address: string): Promise<void>;
  /**
   * Says goodbye to the peer that was dialled, or is seen, at an address, or has an id. The
   * node may find it again.
   */
  disconnect(address: string): Promise<void>;
  /** Keeps an address for good. */
  save(address: string): Promise<void>;
  /** Forgets an address for a day, and whatever peers say of it. */
  remove(address: string): Promise<void>;
  connections(): Promise<Connection[]>;
  known(): Promise<Known[]>;
  /** How often each kind of event happened. */
  counts(): Promise<Record<string, number>>;
  /**
   * Says something to the network. limit is how many times it may be passed on: it reaches
   * nodes up to limit + 1 links away. 0 is no limit.
   */
  announce(type: string, data?: Data, options?: { limit?: number }): Promise<void>;
  /**
   * Asks the network, and yields the answers until timeout, in milliseconds, is over
   * (default 5000; Infinity is never) or the loop ends.
   */
  search(type: string, data?: Data, options?: { limit?: number; timeout?: number }): AsyncGenerator<Message, void, void>;
  /** Has listener called; returns a function that ends that. */
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void;
  off<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): void;
  /**
   * Says goodbye to all peers and ends the node. A page that goes without it, in the event
   * pagehide, is missed by its peers only when it is silent for long.
   */
  close(): Promise<void>;
}

/**
 * Opens a node, without waiting for a connection: see Node.ready. The program, 1.6 MB, is
 * loaded the first time.
 */
export function open(options?: Options): Promise<Node>;
