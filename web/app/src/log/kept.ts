import { plain } from './ansi';

/** The most that a page holds of a log, in lines and in characters: all that the server keeps of one, and some more. */
export const mostLines = 120_000;
const mostCharacters = 25_000_000;
const mostSteps = 500;

export type Line = { number: number; time: string; text: string; plain: string };
export type Step = { line: number; text: string; from: string; to?: string };

// Drydock's own marks, then steps as Buildah and as BuildKit print them.
const marks = [/^==> (.+)$/, /^(?:\[\d+\/\d+\] )?(STEP \d+\/\d+: .+)$/, /^#\d+ (\[[^\]]*\d+\/\d+\] .+)$/];

/** The newest lines of a log and its newest steps. A line's place is how many came before it, those included that were dropped since. */
export class Kept {
  readonly lines: Line[] = [];
  steps: readonly Step[] = [];
  dropped = 0;
  longest = 0;
  private characters = 0;

  /** end is the place behind the newest line. */
  get end(): number {
    return this.dropped + this.lines.length;
  }

  at(place: number): Line | undefined {
    return this.lines[place - this.dropped];
  }

  /** indexOf is where the line of a number is, or the first one after it; numbers rise, but some may be missing. */
  indexOf(number: number): number {
    let [from, to] = [0, this.lines.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.lines[middle]!.number < number) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** add takes the next line; a log that grows beyond the bounds loses its oldest tenth. */
  add({ number, time, text }: { number: number; time: string; text: string }): void {
    const line = { number, time, text, plain: plain(text) };
    this.lines.push(line);
    this.longest = Math.max(this.longest, line.plain.length);
    this.characters += text.length;
    this.note(line);
    if (this.lines.length > mostLines || this.characters > mostCharacters) this.drop();
  }

  private drop(): void {
    let count = 0;
    while (this.lines.length - count > mostLines * 0.9 || this.characters > mostCharacters * 0.9) this.characters -= this.lines[count++]!.text.length;
    this.lines.splice(0, count);
    this.dropped += count;
  }

  /** note finds the line that begins a step; the step before ends there. */
  private note(line: Line): void {
    for (const mark of marks) {
      const text = mark.exec(line.plain)?.[1];
      if (!text) continue;
      const step = { line: line.number, text: text.replace(/^STEP (\d+\/\d+): /, '$1  '), from: line.time };
      const before = this.steps.slice(-mostSteps + 1).map((each) => (each.to ? each : { ...each, to: line.time }));
      this.steps = [...before, step];
      return;
    }
  }
}
