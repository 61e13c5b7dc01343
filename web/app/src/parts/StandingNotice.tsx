import { Alert } from '@mantine/core';
import IconAlertTriangle from '@tabler/icons-react/dist/esm/icons/IconAlertTriangle.mjs';
import IconInfoCircle from '@tabler/icons-react/dist/esm/icons/IconInfoCircle.mjs';
import { type Subscription, standingOf } from './standing';

/** How the subscription stands; where something is amiss, it stands out. */
export function StandingNotice({ subscription }: { subscription: Subscription }) {
  const { label, text, amiss } = standingOf(subscription);
  return (
    <Alert color={amiss ? 'red' : 'dock'} variant="light" icon={amiss ? <IconAlertTriangle /> : <IconInfoCircle />} title={label} role="status">
      {text}
    </Alert>
  );
}
