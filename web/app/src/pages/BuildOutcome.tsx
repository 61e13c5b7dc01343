import { Alert, Anchor } from '@mantine/core';
import IconBan from '@tabler/icons-react/dist/esm/icons/IconBan.mjs';
import IconClock from '@tabler/icons-react/dist/esm/icons/IconClock.mjs';
import IconX from '@tabler/icons-react/dist/esm/icons/IconX.mjs';
import { Link } from 'react-router';
import type { BuildFieldsFragment } from '../gql/graphql';
import classes from './Build.module.css';

/** Why a build waits, failed or was ended; nothing for one that is well. */
export function BuildOutcome({ build: { phase, reason, message, image } }: { build: BuildFieldsFragment }) {
  switch (phase) {
    case 'FAILED':
      return (
        <Alert className={classes.outcome} color="red" variant="light" icon={<IconX />} title={titleOf(reason)}>
          {message ?? 'The log tells more.'}
          <Remedy reason={reason} image={image?.name} />
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

/** Where to put right what a build failed of; nothing where that is not in the app. */
function Remedy({ reason, image }: { reason: string | null | undefined; image: string | undefined }) {
  const found = reason ? remedies[reason] : undefined;
  if (!found || (found.to.startsWith('/images/') && !image)) return null;
  return (
    <div className={classes.remedy}>
      <Anchor component={Link} to={found.to.replace(':name', image ?? '')} inherit>
        {found.label}
      </Anchor>
    </div>
  );
}

const settings = { to: '/images/:name/settings', label: 'To the image’s settings' };

const remedies: Record<string, { to: string; label: string }> = {
  CloneFailed: { to: '/images/:name/secrets', label: 'To the repository’s credential' },
  DockerfileMissing: settings,
  OutOfMemory: { to: '/plan', label: 'To the plans and their memory' },
  PlatformUnsupported: settings,
  PushDenied: { to: '/settings', label: 'To the registry credentials' },
  QuotaExceeded: { to: '/plan', label: 'To the plans and their minutes' },
  Timeout: settings,
};

/** titleOf is the reason's one word, in words. */
function titleOf(reason: string | null | undefined): string {
  if (!reason) return 'The build failed';
  const text = reason.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
