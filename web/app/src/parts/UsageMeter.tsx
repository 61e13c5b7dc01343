import { Progress } from '@mantine/core';
import type { UsageFieldsFragment } from '../gql/graphql';
import { minutes } from './money';
import { onDay } from './time';
import classes from './UsageMeter.module.css';

/** A period's build minutes against those that the plan includes. */
export function UsageMeter({ usage }: { usage: UsageFieldsFragment }) {
  const { buildMinutes: used, includedBuildMinutes: included, periodStart, periodEnd } = usage;
  const beyond = used > included;
  return (
    <section className={`card ${classes.meter}`} aria-label="Build minutes of the period">
      <div className={classes.line}>
        <div>
          <span className={classes.sum}>{minutes(used)}</span>
          <span className={classes.of}>of {minutes(included)} included build minutes</span>
        </div>
        <span className={classes.period}>
          <time dateTime={periodStart}>{onDay(periodStart)}</time> – <time dateTime={periodEnd}>{onDay(periodEnd)}</time> (UTC)
        </span>
      </div>
      <Progress
        value={included > 0 ? Math.min(100, (used / included) * 100) : used > 0 ? 100 : 0}
        color={beyond ? 'red' : undefined}
        size="lg"
        aria-label={`${minutes(used)} of ${minutes(included)} included build minutes are used`}
      />
      <p className={classes.left}>
        {beyond ? `${minutes(used - included)} minutes beyond the included ones.` : `${minutes(included - used)} included minutes are left.`}
      </p>
    </section>
  );
}
