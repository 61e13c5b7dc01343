import { createClient } from 'graphql-ws';

/** How the page's one WebSocket is: not asked for yet, open, or lost and being opened again. */
export type Connection = 'idle' | 'open' | 'lost';

let connection: Connection = 'idle';
const listeners = new Set<() => void>();

function become(next: Connection): void {
  if (next === connection) return;
  connection = next;
  for (const tell of listeners) tell();
}

/** connectionStore is for useSyncExternalStore. */
export const connectionStore = {
  subscribe(tell: () => void): () => void {
    listeners.add(tell);
    return () => listeners.delete(tell);
  },
  get: (): Connection => connection,
};

/** How long a connection that was lost must hold before it counts as found again, in milliseconds: a server that only just began takes it and closes it. */
const holds = 1_000;

let tries = 0;
let holding: ReturnType<typeof setTimeout> | undefined;

/** A session that ended closes the socket with this code. */
const sessionEnded = 4403;

/**
 * The tab's one WebSocket for all subscriptions (graphql-transport-ws). It opens with the first subscription, and when it is
 * lost it opens again by itself, later each time, for as long as the page lives: subscriptions begin with the present
 * state, so nothing is missed.
 */
export const socket = createClient({
  url: () => new URL('/graphql', location.href).href.replace(/^http/, 'ws'),
  lazyCloseTimeout: 5_000,
  keepAlive: 12_000,
  retryAttempts: Number.MAX_SAFE_INTEGER,
  shouldRetry: () => true,
  retryWait: () => pause(Math.min(250 * 2 ** tries++, 15_000) * (0.75 + Math.random() / 2)),
  on: {
    connected: () => {
      const found = () => {
        tries = 0;
        become('open');
      };
      if (connection === 'lost') holding = setTimeout(found, holds);
      else found();
    },
    closed: (event) => {
      clearTimeout(holding);
      clearTimeout(pongDue);
      const { code, wasClean } = event as CloseEvent;
      if (code === sessionEnded) location.reload();
      become(wasClean && code === 1000 ? 'idle' : 'lost');
    },
    ping: (received) => {
      if (received) return;
      // No pong in time: the other end is gone, although TCP does not know yet.
      clearTimeout(pongDue);
      pongDue = setTimeout(() => socket.terminate(), 5_000);
    },
    pong: (received) => {
      if (received) clearTimeout(pongDue);
    },
  },
});

let pongDue: ReturnType<typeof setTimeout> | undefined;

/** pause waits; a network that comes back ends it early. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener('online', done);
  });
}
