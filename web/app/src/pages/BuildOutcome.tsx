import { Alert } from '@mantine/core';
import IconBan from '@tabler/icons-react/dist/esm/icons/IconBan.mjs';
import IconClock from '@tabler/icons-react/dist/esm/icons/IconClock.mjs';
import IconX from '@tabler/icons-react/dist/esm/icons/IconX.mjs';
import type { BuildFieldsFragment } from '../gql/graphql';
import classes from './Build.module.css';

/** Why a build waits, failed or was ended; nothing for one that is well. */
export function BuildOutcome({ build: { phase, reason, message } }: { build: BuildFieldsFragment }) {
  switch (phase) {
    case 'FAILED':
      return (
        <Alert className={classes.outcome} color="red" variant="light" icon={<IconX />} title={titleOf(reason)}>
          {message ?? 'The log tells more.'}
        </Alert>
      );
    case 'CANCELLED':
      return (
        <Alert className={classes.outcome} color="gray" variant="light" icon={<IconBan />} title={reason === 'Superseded' ? titleOf(reason) : 'Cancelled'}>
          {message ?? 'Somebody ended this build.'}
        </Alert>
      );
    case 'QUEUED':
      return (
        <Alert className={classes.outcome} color="yellow" variant="light" icon={<IconClock />} title="In the queue">
          {message ?? 'It starts as soon as a place among your plan’s concurrent builds is free.'}
        </Alert>
      );
    default:
      return null;
  }
}

/** titleOf is the reason's one word, in words. */
function titleOf(reason: string | null | undefined): string {
  if (!reason) return 'The build failed';
  const text = reason.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
