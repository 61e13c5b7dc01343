/** How long one turn of long work takes, in milliseconds: well below a frame on any machine. */
const turn = 8;

type Scheduler = { yield?: () => Promise<void> };

/** A slice of work that is too long to be done at once: the page answers between two of them. */
export class Slice {
  private end = performance.now() + turn;

  /** over tells that it is time to rest. */
  over(): boolean {
    return performance.now() >= this.end;
  }

  /** rest lets the page do what waits, then the next slice begins. */
  async rest(): Promise<void> {
    const { scheduler } = globalThis as { scheduler?: Scheduler };
    await (scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve)));
    this.end = performance.now() + turn;
  }
}
