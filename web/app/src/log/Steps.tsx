import { useMemo, useRef } from 'react';
import { Duration } from '../parts/time';
import type { Line, Snapshot } from './store';
import classes from './Steps.module.css';

type Step = { line: number; text: string; from: string; to?: string };

// Drydock's own marks, then steps as Buildah and as BuildKit print them.
const marks = [/^==> (.+)$/, /^(?:\[\d+\/\d+\] )?(STEP \d+\/\d+: .+)$/, /^#\d+ (\[[^\]]*\d+\/\d+\] .+)$/];

/** The steps that a log tells of, with how long each took; each leads to its line. */
export function Steps({ log, goTo }: { log: Snapshot; goTo: (line: number) => void }) {
  const seen = useRef<{ lines: readonly Line[]; upTo: number; steps: Step[] }>(undefined);
  const steps = useMemo(() => {
    let found = seen.current;
    if (found?.lines !== log.lines) found = { lines: log.lines, upTo: 0, steps: [] };
    for (; found.upTo < log.lines.length; found.upTo++) note(found.steps, log.lines[found.upTo]!);
    seen.current = found;
    return [...found.steps];
    // eslint-disable-next-line -- log.lines is the same array for the log's life: its version tells that it grew
  }, [log.version]);

  if (steps.length === 0) return null;
  const end = log.complete ? log.lines.at(-1)!.time : undefined;
  return (
    <details className={`card ${classes.steps}`} open={steps.length <= 12}>
      <summary>
        Steps <span className={classes.count}>{steps.length}</span>
      </summary>
      <ol>
        {steps.map(({ line, text, from, to }) => (
          <li key={line}>
            <button type="button" onClick={() => goTo(line)}>
              <span className={classes.text}>{text}</span>
              <span className={classes.time}>
                <Duration from={from} to={to ?? end} />
              </span>
            </button>
          </li>
        ))}
      </ol>
    </details>
  );
}

function note(steps: Step[], line: Line): void {
  for (const mark of marks) {
    const text = mark.exec(line.plain)?.[1];
    if (!text) continue;
    const before = steps.at(-1);
    if (before) before.to = line.time;
    steps.push({ line: line.number, text: text.replace(/^STEP (\d+\/\d+): /, '$1  '), from: line.time });
    return;
  }
}
