import { useElementSize } from '@mantine/hooks';
import { Bar, BarChart, CartesianGrid, ReferenceLine, Tooltip, type TooltipContentProps, XAxis, YAxis } from 'recharts';
import type { UsageFieldsFragment } from '../gql/graphql';
import { minutes } from '../parts/money';
import { onDay } from '../parts/time';
import classes from './usageChart.module.css';

type Day = { date: string; within: number; beyond: number; builds: number };

const dayLength = 86_400_000;
const short = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', timeZone: 'UTC' });

/**
 * Each day's build minutes, those beyond the included ones set off, against an even share of the included ones. It is a
 * picture: the table beside it tells the same to those who cannot see or point.
 */
export function UsageChart({ usage }: { usage: UsageFieldsFragment }) {
  const { ref, width } = useElementSize();
  const days = daysOf(usage);
  const share = usage.includedBuildMinutes / days.length;
  const highest = Math.max(...days.map((day) => day.within + day.beyond));
  const beyond = days.some((day) => day.beyond > 0);
  const label = `Build minutes of each day from ${onDay(usage.periodStart)}, at most ${minutes(highest)} on one day, against ${minutes(share)} a day included. The table has the figures.`;
  const text = { fill: 'var(--quiet)', fontSize: 12 };
  return (
    <>
      <div ref={ref} className={classes.chart} role="img" aria-label={label}>
        {width > 0 && (
          <BarChart width={width} height={300} data={days} margin={{ top: 8, right: 4, bottom: 0, left: 0 }} accessibilityLayer={false}>
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis
              dataKey="date"
              tickFormatter={(date: string) => short.format(new Date(date))}
              tick={text}
              tickLine={false}
              axisLine={{ stroke: 'var(--line)' }}
              minTickGap={28}
            />
            <YAxis tickFormatter={minutes} tick={text} tickLine={false} axisLine={false} width={44} />
            <Tooltip content={Tip} cursor={{ fill: 'var(--line)', fillOpacity: 0.5 }} isAnimationActive={false} />
            <Bar dataKey="within" stackId="minutes" fill="var(--within)" isAnimationActive={false} maxBarSize={28} />
            <Bar dataKey="beyond" stackId="minutes" fill="var(--beyond)" isAnimationActive={false} maxBarSize={28} />
            {/* A share far above all bars would press them flat; then the legend alone tells it. */}
            <ReferenceLine
              y={share}
              stroke="var(--share)"
              strokeWidth={1.5}
              strokeDasharray="5 4"
              ifOverflow={share <= 4 * highest ? 'extendDomain' : 'hidden'}
            />
          </BarChart>
        )}
      </div>
      <ul className={classes.legend}>
        <li>
          <span className={classes.key} data-of="within" /> Included
        </li>
        {beyond && (
          <li>
            <span className={classes.key} data-of="beyond" /> Beyond the included minutes
          </li>
        )}
        <li>
          <span className={classes.key} data-of="share" /> Even share of the included: {minutes(share)} minutes a day
        </li>
      </ul>
    </>
  );
}

/** daysOf are all days of the period, also those to come, and where in them the included minutes ran out. */
function daysOf({ periodStart, periodEnd, includedBuildMinutes, daily }: UsageFieldsFragment): Day[] {
  const known = new Map(daily.map((day) => [day.date, day]));
  const days: Day[] = [];
  let left = includedBuildMinutes;
  for (let at = Math.floor(Date.parse(periodStart) / dayLength) * dayLength; at < Date.parse(periodEnd); at += dayLength) {
    const date = new Date(at).toISOString().slice(0, 10);
    const day = known.get(date);
    const all = (day?.buildSeconds ?? 0) / 60;
    const within = Math.min(all, left);
    left -= within;
    days.push({ date, within, beyond: all - within, builds: day?.builds ?? 0 });
  }
  return days;
}

function Tip({ active, payload }: Pick<TooltipContentProps, 'active' | 'payload'>) {
  const day = payload?.[0]?.payload as Day | undefined;
  if (!active || !day) return null;
  return (
    <div className={classes.tip}>
      <strong>{onDay(day.date)}</strong>
      {minutes(day.within + day.beyond)} minutes, {day.builds === 1 ? '1 build' : `${day.builds} builds`}
      {day.beyond > 0 && <div>{minutes(day.beyond)} beyond the included ones</div>}
    </div>
  );
}
