import { Anchor, Skeleton, Title } from '@mantine/core';
import { Suspense, lazy } from 'react';
import { Link, useParams } from 'react-router';
import { useQuery } from 'urql';
import { useLive } from '../api/useLive';
import { codeOf } from '../api/words';
import { Waiting } from '../frame/Waiting';
import { usePageTitle } from '../frame/usePageTitle';
import { graphql } from '../gql';
import type { BuildFieldsFragment } from '../gql/graphql';
import { Failure } from '../parts/Failure';
import { Phase, isDone } from '../parts/Phase';
import { BuildActions } from './BuildActions';
import { BuildFacts } from './BuildFacts';
import { BuildOutcome } from './BuildOutcome';
import { NotFound } from './NotFound';
import classes from './Build.module.css';

const LogView = lazy(async () => ({ default: (await import('../log/LogView')).LogView }));

export const BuildFields = graphql(`
  fragment BuildFields on Build {
    ...BuildRow
    message
    references
    billedSeconds
    webhookDelivery {
      attempts
      lastStatus
      message
      deliveredAt
      nextAttemptAt
    }
    image {
      id
      name
      destination
    }
  }
`);

const BuildQuery = graphql(`
  query Build($id: ID!) {
    build(id: $id) {
      ...BuildFields
    }
  }
`);

const BuildChanged = graphql(`
  subscription BuildChanged($id: ID!) {
    buildChanged(id: $id) {
      ...BuildFields
    }
  }
`);

/** One build, live. */
export function Build() {
  const { id = '' } = useParams();
  const [{ data, error }, ask] = useQuery({ query: BuildQuery, variables: { id } });
  const build = data?.build;
  useLive(BuildChanged, { id }, !build);
  usePageTitle(build ? `${build.image?.name ?? 'Build'} #${build.number}` : undefined);
  if (build) return <Shown key={id} build={build} />;
  if (error && !['NOT_FOUND', 'BAD_USER_INPUT'].includes(codeOf(error) ?? '')) {
    return <Failure error={error} retry={() => ask({ requestPolicy: 'network-only' })} />;
  }
  return data || error ? <NotFound what="build" /> : <Waiting />;
}

function Shown({ build }: { build: BuildFieldsFragment }) {
  const { image } = build;
  return (
    <>
      <nav aria-label="Breadcrumb" className={classes.crumbs}>
        <Anchor component={Link} to="/" size="sm">
          Images
        </Anchor>
        {image && (
          <>
            <span aria-hidden="true">/</span>
            <Anchor component={Link} to={`/images/${image.name}`} size="sm">
              {image.name}
            </Anchor>
          </>
        )}
      </nav>
      <div className={classes.head}>
        <Title order={1}>
          {image?.name ?? 'Build'} <span className={classes.number}>#{build.number}</span>
        </Title>
        <span role="status" aria-label="Status">
          <Phase phase={build.phase} large />
        </span>
        <BuildActions build={build} />
      </div>
      <BuildOutcome build={build} />
      <BuildFacts build={build} />
      <Suspense fallback={<Skeleton height={320} radius="lg" />}>
        <LogView id={build.id} done={isDone(build.phase)} />
      </Suspense>
    </>
  );
}
