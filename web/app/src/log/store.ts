import { CombinedError, stringifyDocument } from 'urql';
import { uncached } from '../api/client';
import { socket } from '../api/socket';
import { graphql } from '../gql';
import type { LogFollowSubscription } from '../gql/graphql';
import { plain } from './ansi';

const LogPiece = graphql(`
  query LogPiece($id: ID!, $after: Int!, $first: Int!) {
    build(id: $id) {
      id
      log(after: $after, first: $first) {
        lines {
          number
          time
          text
        }
        endCursor
        complete
      }
    }
  }
`);

const LogFollow = graphql(`
  subscription LogFollow($id: ID!, $after: Int!) {
    buildLogPieces(id: $id, after: $after) {
      lines {
        number
        time
        text
      }
    }
  }
`);

/** Lines in one answer: what is there already comes in large pieces, what is printed from now on as it comes. */
const piece = 2_000;

export type Line = { number: number; time: string; text: string; plain: string };

/** What shows of a log: version rises with each change; lines are only ever added. */
export type Snapshot = { version: number; lines: readonly Line[]; longest: number; complete: boolean; error: CombinedError | undefined };

/** A build's log as far as it has come, outside of React: a hundred thousand lines must not be copied for each new one. */
export class LogStore {
  private lines: Line[] = [];
  private longest = 0;
  private last = 0;
  private complete = false;
  private error: CombinedError | undefined;
  private stopped = false;
  private unfollow: (() => void) | undefined;
  private frame = 0;
  private listeners = new Set<() => void>();
  private snapshot: Snapshot = { version: 0, lines: this.lines, longest: 0, complete: false, error: undefined };

  constructor(private readonly id: string) {}

  /** start reads what is there, then follows what comes; what it gives back ends it. */
  start(): () => void {
    this.stopped = false;
    void this.read();
    return () => {
      this.stopped = true;
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      this.unfollow?.();
    };
  }

  subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  get = (): Snapshot => this.snapshot;

  /** again tries once more after an error. */
  again = (): void => {
    this.error = undefined;
    this.changed();
    void this.read();
  };

  private async read(): Promise<void> {
    while (!this.stopped) {
      const { data, error } = await uncached.query(LogPiece, { id: this.id, after: this.last, first: piece }).toPromise();
      if (this.stopped) return;
      const log = data?.build?.log;
      if (!log) {
        this.error = error ?? new CombinedError({ graphQLErrors: ['There is no log.'] });
        break;
      }
      for (const line of log.lines) this.add(line);
      this.complete = log.complete && log.lines.length < piece;
      this.changed();
      if (this.complete) return;
      if (log.lines.length < piece) return this.follow();
    }
    this.changed();
  }

  private follow(): void {
    const store = this;
    const variables = {
      id: this.id,
      // The socket writes the variables out anew each time it connects again: so it goes on after the last line that came.
      get after() {
        return store.last;
      },
    };
    this.unfollow = socket.subscribe<LogFollowSubscription>(
      { query: stringifyDocument(LogFollow), variables },
      {
        next: ({ data, errors }) => {
          for (const line of data?.buildLogPieces.lines ?? []) this.add(line);
          if (errors) this.error = new CombinedError({ graphQLErrors: [...errors] });
          this.changed();
        },
        error: (failure) => {
          this.error = Array.isArray(failure)
            ? new CombinedError({ graphQLErrors: failure })
            : new CombinedError({ networkError: new Error(String(failure)) });
          this.changed();
        },
        complete: () => {
          this.complete = !this.stopped && !this.error;
          this.changed();
        },
      },
    );
  }

  private add({ number, time, text }: { number: number; time: string; text: string }): void {
    if (number <= this.last) return; // seen before the connection was lost
    this.last = number;
    const line = { number, time, text, plain: plain(text) };
    this.longest = Math.max(this.longest, line.plain.length);
    this.lines.push(line);
  }

  /** changed tells the listeners, once a frame at most. */
  private changed(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const { lines, longest, complete, error } = this;
      this.snapshot = { version: this.snapshot.version + 1, lines, longest, complete, error };
      for (const tell of this.listeners) tell();
    });
  }
}
