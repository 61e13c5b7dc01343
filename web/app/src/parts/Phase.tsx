import { Badge } from '@mantine/core';
import IconBan from '@tabler/icons-react/dist/esm/icons/IconBan.mjs';
import IconCheck from '@tabler/icons-react/dist/esm/icons/IconCheck.mjs';
import IconClock from '@tabler/icons-react/dist/esm/icons/IconClock.mjs';
import IconX from '@tabler/icons-react/dist/esm/icons/IconX.mjs';
import type { BuildPhase } from '../gql/graphql';
import classes from './Phase.module.css';

const shown: Record<BuildPhase, { label: string; Icon?: typeof IconCheck }> = {
  QUEUED: { label: 'Queued', Icon: IconClock },
  RUNNING: { label: 'Running' },
  SUCCEEDED: { label: 'Succeeded', Icon: IconCheck },
  FAILED: { label: 'Failed', Icon: IconX },
  CANCELLED: { label: 'Cancelled', Icon: IconBan },
};

export const phases = Object.keys(shown) as BuildPhase[];

/** isDone tells whether nothing more will come of a build. */
export function isDone(phase: BuildPhase): boolean {
  return phase !== 'QUEUED' && phase !== 'RUNNING';
}

export function phaseLabel(phase: BuildPhase): string {
  return shown[phase].label;
}

/** Where a build is: in words, with a sign and a color. */
export function Phase({ phase, large }: { phase: BuildPhase; large?: boolean }) {
  const { label, Icon } = shown[phase];
  return (
    <Badge
      className={classes.badge}
      data-phase={phase}
      size={large ? 'lg' : 'md'}
      variant="transparent"
      leftSection={Icon ? <Icon size={large ? 16 : 13} stroke={2.5} /> : <span className={classes.pulse} />}
    >
      {label}
    </Badge>
  );
}
