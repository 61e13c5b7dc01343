import { SegmentedControl, Skeleton, Table, Text, Title } from '@mantine/core';
import IconChartBar from '@tabler/icons-react/dist/esm/icons/IconChartBar.mjs';
import { Suspense, lazy } from 'react';
import { useSearchParams } from 'react-router';
import { useQuery } from 'urql';
import { useLive } from '../api/useLive';
import { usePageTitle } from '../frame/usePageTitle';
import { graphql } from '../gql';
import type { UsageFieldsFragment, UsagePeriod } from '../gql/graphql';
import { Empty } from '../parts/Empty';
import { Failure } from '../parts/Failure';
import { UsageMeter } from '../parts/UsageMeter';
import { minutes } from '../parts/money';
import { onDay } from '../parts/time';
import classes from './Usage.module.css';

const UsageChart = lazy(async () => ({ default: (await import('./usageChart')).UsageChart }));

const UsageQuery = graphql(`
  query Usage($period: UsagePeriod!) {
    viewer {
      id
      usage(period: $period) {
        ...UsageFields
      }
    }
  }
`);

const UsageChanged = graphql(`
  subscription UsageChanged {
    viewerChanged {
      id
      usage(period: CURRENT) {
        ...UsageFields
      }
    }
  }
`);

/** The build minutes of this billing period, live, or of the one before; which one is in the address. */
export function Usage() {
  usePageTitle('Usage');
  const [params, setParams] = useSearchParams();
  const period: UsagePeriod = params.get('period') === 'previous' ? 'PREVIOUS' : 'CURRENT';
  return (
    <>
      <div className={classes.head}>
        <Title order={1}>Usage</Title>
        <SegmentedControl
          aria-label="Billing period"
          data={[
            { value: 'CURRENT', label: 'This period' },
            { value: 'PREVIOUS', label: 'Previous period' },
          ]}
          value={period}
          onChange={(value) => setParams(value === 'PREVIOUS' ? { period: 'previous' } : {}, { replace: true })}
        />
      </div>
      <Period key={period} period={period} />
    </>
  );
}

function Period({ period }: { period: UsagePeriod }) {
  const [{ data, error }, ask] = useQuery({ query: UsageQuery, variables: { period } });
  const usage = data?.viewer?.usage;
  useLive(UsageChanged, {}, period !== 'CURRENT');
  if (usage) return <Shown usage={usage} current={period === 'CURRENT'} />;
  if (error) return <Failure error={error} retry={() => ask({ requestPolicy: 'network-only' })} />;
  if (data)
    return (
      <Empty icon={<IconChartBar />} title="Nothing is known of this period">
        Come back after your next build.
      </Empty>
    );
  return (
    <div className={classes.waiting} role="status" aria-busy="true" aria-label="Loading the usage">
      <Skeleton height={130} radius="lg" />
      <Skeleton height={340} radius="lg" />
    </div>
  );
}

function Shown({ usage, current }: { usage: UsageFieldsFragment; current: boolean }) {
  const idle = usage.daily.every((day) => day.buildSeconds === 0 && day.builds === 0);
  return (
    <>
      <UsageMeter usage={usage} />
      {idle ? (
        <div className={`card ${classes.idle}`}>
          <Empty icon={<IconChartBar />} title="No build minutes">
            {current
              ? 'Nothing has been built in this period yet. Start a build, and its minutes appear here when it ends.'
              : 'Nothing was built in this period.'}
          </Empty>
        </div>
      ) : (
        <div className={classes.days}>
          <section className={`card ${classes.chart}`}>
            <Title order={2}>Build minutes by day</Title>
            <Suspense fallback={<Skeleton height={300} mt="md" radius="md" />}>
              <UsageChart usage={usage} />
            </Suspense>
          </section>
          <Days usage={usage} />
        </div>
      )}
      <Text c="dimmed" size="sm" mt="md">
        Days begin at midnight UTC. A build’s time counts on the day on which it ended.
      </Text>
    </>
  );
}

/** The chart's figures as a table, newest first. */
function Days({ usage: { daily, buildMinutes } }: { usage: UsageFieldsFragment }) {
  return (
    <div className={`card ${classes.table}`} role="region" aria-label="Build minutes by day, as a table" tabIndex={0}>
      <Table horizontalSpacing="md" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Day</Table.Th>
            <Table.Th scope="col" className={classes.number}>
              Minutes
            </Table.Th>
            <Table.Th scope="col" className={classes.number}>
              Builds
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {daily.toReversed().map(({ date, buildSeconds, builds }) => (
            <Table.Tr key={date}>
              <Table.Th scope="row" className={classes.day}>
                <time dateTime={date}>{onDay(date)}</time>
              </Table.Th>
              <Table.Td className={classes.number}>{minutes(buildSeconds / 60)}</Table.Td>
              <Table.Td className={classes.number}>{builds}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
        <Table.Tfoot>
          <Table.Tr>
            <Table.Th scope="row">Together</Table.Th>
            <Table.Td className={classes.number}>{minutes(buildMinutes)}</Table.Td>
            <Table.Td className={classes.number}>{daily.reduce((sum, each) => sum + each.builds, 0)}</Table.Td>
          </Table.Tr>
        </Table.Tfoot>
      </Table>
    </div>
  );
}
