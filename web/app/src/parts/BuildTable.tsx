import { Anchor, Table } from '@mantine/core';
import type { Ref } from 'react';
import { Link } from 'react-router';
import type { BuildRowFragment, BuildTrigger } from '../gql/graphql';
import { Copy } from './Copy';
import { Phase } from './Phase';
import { Duration, When } from './time';
import classes from './BuildTable.module.css';

export const triggerLabels: Record<BuildTrigger, string> = {
  MANUAL: 'By hand',
  PUSH: 'Push',
  SCHEDULE: 'Schedule',
  BASE_IMAGE: 'Base image',
  RETRY: 'Retry',
};

type Props = {
  builds: BuildRowFragment[];
  /** What tells this table from the page's others. */
  label: string;
  ref?: Ref<HTMLDivElement>;
};

/** Builds, one in a line. */
export function BuildTable({ builds, label, ref }: Props) {
  return (
    <div ref={ref} className={`card ${classes.scroll}`} role="region" aria-label={label} tabIndex={0}>
      <Table verticalSpacing="sm" horizontalSpacing="md" className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Build</Table.Th>
            <Table.Th scope="col">Status</Table.Th>
            <Table.Th scope="col">Queued</Table.Th>
            <Table.Th scope="col">Took</Table.Th>
            <Table.Th scope="col">Started by</Table.Th>
            <Table.Th scope="col">Commit</Table.Th>
            <Table.Th scope="col">Digest</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {builds.map((build) => (
            <Table.Tr key={build.id}>
              <Table.Td>
                <Anchor component={Link} to={`/builds/${encodeURIComponent(build.id)}`} fw={600}>
                  #{build.number}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <Phase phase={build.phase} /> {build.phase === 'FAILED' && <span className={classes.reason}>{build.reason}</span>}
              </Table.Td>
              <Table.Td>
                <When at={build.queuedAt} />
              </Table.Td>
              <Table.Td>
                <Duration from={build.startedAt} to={build.finishedAt} seconds={build.durationSeconds} />
              </Table.Td>
              <Table.Td className={classes.by}>
                {triggerLabels[build.trigger]}
                {build.triggeredBy && (
                  <div className={classes.detail} title={build.triggeredBy}>
                    {build.triggeredBy}
                  </div>
                )}
              </Table.Td>
              <Table.Td>{build.commit ? <code className={classes.mono}>{build.commit.slice(0, 8)}</code> : '–'}</Table.Td>
              <Table.Td>{build.digest ? <Copy text={build.digest} shown={build.digest.slice(7, 19)} what="digest" /> : '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
