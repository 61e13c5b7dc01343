import { memo } from 'react';
import { Duration } from '../parts/time';
import type { Step } from './kept';
import classes from './Steps.module.css';

type Props = { steps: readonly Step[]; end: string | undefined; goTo: (line: number) => void };

/** The steps that a log tells of, with how long each took; each leads to its line. The last one takes until the log's end. */
export const Steps = memo(function Steps({ steps, end, goTo }: Props) {
  if (steps.length === 0) return null;
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
});
