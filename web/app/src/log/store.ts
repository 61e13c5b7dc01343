import { CombinedError, stringifyDocument } from 'urql';
import { uncached } from '../api/client';
import { socket } from '../api/socket';
import { graphql } from '../gql';
import type { LogFollowSubscription } from '../gql/graphql';
import { Kept, type Line, type Step } from './kept';
import { Live } from './live';

const LogStart = graphql(`
  query LogStart($id: ID!, $after: Int!, $first: Int!) {
    build(id: $id) {
      id
      log(after: $after, first: $first) {
        lines {
          number
          time
          text
        }
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

/** Lines that are asked for at first: some screens. The others come in pieces that the server holds small, each of them a short task. */
const start = 200;

/** What shows of a log: lines are those of Kept, the same array all the time, so version rises with each change. */
export type Shown = {
  version: number;
  lines: readonly Line[];
  dropped: number;
  longest: number;
  steps: readonly Step[];
  complete: boolean;
  error: CombinedError | undefined;
};

/** A build's log as far as it has come, outside of React: a hundred thousand lines must not be copied for each new one. */
export class LogStore extends Live<Shown> {
  readonly kept = new Kept();
  private version = 0;
  private last = 0;
  private complete = false;
  private error: CombinedError | undefined;
  /** The reading that goes on; one that is another by now was stopped. */
  private reading: object | undefined;
  private unfollow: (() => void) | undefined;

  constructor(private readonly id: string) {
    super();
  }

  /** start reads what is there, then follows what comes; what it gives back ends it. */
  start = (): (() => void) => {
    void this.read();
    return this.stop;
  };

  /** again tries once more after an error. */
  again = (): void => {
    this.stop();
    this.error = undefined;
    this.changed();
    void this.read();
  };

  protected show(): Shown {
    const { version, complete, error } = this;
    const { lines, dropped, longest, steps } = this.kept;
    return { version, lines, dropped, longest, steps, complete, error };
  }

  protected override changed(): void {
    this.version++;
    super.changed();
  }

  private stop = (): void => {
    this.reading = undefined;
    this.unfollow?.();
    this.unfollow = undefined;
  };

  private async read(): Promise<void> {
    const reading = {};
    this.reading = reading;
    const { data, error } = await uncached.query(LogStart, { id: this.id, after: this.last, first: start }).toPromise();
    if (this.reading !== reading) return;
    const log = data?.build?.log;
    if (log) {
      this.add(log.lines);
      this.complete = log.complete;
      if (!log.complete) this.follow(reading);
    } else {
      this.error = error ?? new CombinedError({ graphQLErrors: ['There is no log.'] });
    }
    this.changed();
  }

  private follow(reading: object): void {
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
          this.add(data?.buildLogPieces.lines ?? []);
          if (errors) this.error = new CombinedError({ graphQLErrors: [...errors] });
          this.changed();
        },
        error: (failure) => {
          this.error = Array.isArray(failure) ? new CombinedError({ graphQLErrors: failure }) : new CombinedError({ networkError: new Error(String(failure)) });
          this.changed();
        },
        complete: () => {
          this.complete = this.reading === reading && !this.error;
          this.changed();
        },
      },
    );
  }

  private add(lines: readonly { number: number; time: string; text: string }[]): void {
    for (const line of lines) {
      if (line.number <= this.last) continue; // seen before the connection was lost
      this.last = line.number;
      this.kept.add(line);
    }
  }
}
