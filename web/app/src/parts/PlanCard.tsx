import { Badge, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { PlanFieldsFragment } from '../gql/graphql';
import { minutes, money } from './money';
import { span } from './time';
import classes from './PlanCard.module.css';

/** One plan: what it costs, what it allows, and what can be done about it. */
export function PlanCard({ plan, present, action }: { plan: PlanFieldsFragment; present: boolean; action?: ReactNode }) {
  const { name, description, price, limits } = plan;
  return (
    <article className={`card ${classes.plan}`} data-present={present || undefined} aria-label={`${name}${present ? ', the present plan' : ''}`}>
      <div>
        <div className={classes.head}>
          <Title order={2}>{name}</Title>
          {present && <Badge tt="none">Present plan</Badge>}
        </div>
        {description && (
          <Text c="dimmed" size="sm">
            {description}
          </Text>
        )}
      </div>
      <div>
        <span className={classes.price}>{price && price.unitAmount > 0 ? money(price.unitAmount, price.currency) : 'Free'}</span>
        {price && price.unitAmount > 0 && <span className={classes.interval}> a {price.interval}</span>}
      </div>
      <dl className={classes.limits}>
        <Limit name="Included build minutes">{minutes(limits.includedBuildMinutes)}</Limit>
        <Limit name="Each further minute">{further(plan)}</Limit>
        <Limit name="Builds at once">{limits.concurrentBuilds.toLocaleString('en')}</Limit>
        <Limit name="Images">{limits.images.toLocaleString('en')}</Limit>
        <Limit name="Longest build">{span(limits.buildTimeoutSeconds).replace(/ 0 (s|min)$/, '')}</Limit>
        <Limit name="CPU of a build">{limits.cpu}</Limit>
        <Limit name="Memory of a build">{limits.memory.replace(/([KMGT]i)$/, ' $1B')}</Limit>
      </dl>
      {action && <div className={classes.action}>{action}</div>}
    </article>
  );
}

function Limit({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** further is what minutes beyond the included ones cost, and how many there are. */
function further({ price, limits: { paidBuildMinutes: most } }: PlanFieldsFragment): string {
  if (!price?.meteredUnitAmountPerMinute || most === 0) return 'Not sold';
  const each = money(Number(price.meteredUnitAmountPerMinute), price.currency);
  return most == null ? each : `${each}, at most ${minutes(most)}`;
}
