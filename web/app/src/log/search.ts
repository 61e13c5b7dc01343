import type { Kept } from './kept';
import { Live } from './live';
import { Slice } from './slice';

/** Where a search is: at is the line that is gone to, of count so far, by its place in the log, after so many moves; busy while lines are left to look at. */
export type Found = { query: string; count: number; at: number; place: number | undefined; moves: number; busy: boolean };

/** A search through a log that may grow meanwhile, in slices of time: no log is so long that the page stops to answer. */
export class LogSearch extends Live<Found> {
  private query = '';
  private hits: number[] = [];
  private at = 0;
  private moves = 0;
  private next = 0;
  private busy = false;

  constructor(private readonly kept: Kept) {
    super();
  }

  /** look searches for a text from the beginning on; none for an empty one. */
  look(text: string): void {
    const query = text.trim().toLowerCase();
    if (query === this.query) return;
    this.query = query;
    this.hits = [];
    this.at = 0;
    this.next = 0;
    this.changed();
    void this.goOn();
  }

  /** move goes to another line with the text. */
  move(by: 1 | -1): void {
    const { length } = this.hits;
    if (length > 0) this.at = (this.at + by + length) % length;
    this.moves++;
    this.changed();
  }

  /** goOn looks through what has come since. */
  goOn = async (): Promise<void> => {
    this.forget();
    if (this.busy || !this.query || this.next >= this.kept.end) return;
    this.busy = true;
    const slice = new Slice();
    while (this.query && this.next < this.kept.end) {
      if (slice.over()) {
        this.changed();
        await slice.rest();
        continue; // another text may be looked for by now
      }
      if (this.kept.at(this.next)?.plain.toLowerCase().includes(this.query)) this.hits.push(this.next);
      this.next++;
    }
    this.busy = false;
    this.changed();
  };

  protected show(): Found {
    const { query, hits, at, moves, busy } = this;
    return { query, count: hits.length, at, place: hits[at], moves, busy };
  }

  /** forget leaves out lines that are not kept any more. */
  private forget(): void {
    this.next = Math.max(this.next, this.kept.dropped);
    const gone = this.hits.findIndex((place) => place >= this.kept.dropped);
    const count = gone < 0 ? this.hits.length : gone;
    if (count === 0) return;
    this.hits.splice(0, count);
    this.at = Math.max(0, this.at - count);
    this.changed();
  }
}
