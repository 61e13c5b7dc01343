import { Button, Skeleton, Text } from '@mantine/core';
import IconHammer from '@tabler/icons-react/dist/esm/icons/IconHammer.mjs';
import { useState } from 'react';
import { useQuery } from 'urql';
import { BuildsChanged } from '../api/builds';
import { useLive } from '../api/useLive';
import { graphql } from '../gql';
import type { ImageFieldsFragment } from '../gql/graphql';
import { BuildTable } from '../parts/BuildTable';
import { Empty } from '../parts/Empty';
import { Failure } from '../parts/Failure';
import { useArrival } from '../parts/useArrival';

const ImageBuildsQuery = graphql(`
  query ImageBuilds($image: ID!, $first: Int!, $after: String) {
    node(id: $image) {
      ... on Image {
        id
        builds(first: $first, after: $after) {
          pageInfo {
            hasNextPage
            endCursor
          }
          edges {
            cursor
            node {
              ...BuildRow
            }
          }
        }
      }
    }
  }
`);

const pageSize = 20;

/** An image's builds, newest first; new ones appear by themselves. */
export function ImageBuilds({ image }: { image: ImageFieldsFragment }) {
  useLive(BuildsChanged, { image: image.id });
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  return (
    <>
      {cursors.map((after, i) => (
        <Page
          key={after}
          number={i + 1}
          image={image}
          after={after}
          more={i === cursors.length - 1 ? (cursor) => setCursors([...cursors, cursor]) : undefined}
        />
      ))}
      <Retention />
    </>
  );
}

const KeptBuilds = graphql(`
  query KeptBuilds {
    viewer {
      id
      plan {
        id
        limits {
          keptBuilds
          keptDays
        }
      }
    }
  }
`);

/** Says what becomes of old builds, where the plan has a rule for it. */
function Retention() {
  const [{ data }] = useQuery({ query: KeptBuilds });
  const { keptBuilds, keptDays } = data?.viewer?.plan?.limits ?? {};
  if (keptBuilds == null && keptDays == null) return null;
  const number = keptBuilds == null ? 'builds' : `the newest ${keptBuilds} builds of an image`;
  return (
    <Text c="dimmed" size="sm" mt="sm">
      Your plan keeps {number}
      {keptDays != null && ` for ${keptDays} days`}; the newest build and the newest that succeeded stay in any case.
    </Text>
  );
}

type PageProps = { number: number; image: ImageFieldsFragment; after: string | null; more?: (cursor: string) => void };

function Page({ number, image, after, more }: PageProps) {
  const [{ data, error }, ask] = useQuery({ query: ImageBuildsQuery, variables: { image: image.id, first: pageSize, after } });
  const builds = data?.node && 'builds' in data.node ? data.node.builds : undefined;
  const table = useArrival<HTMLDivElement>(Boolean(builds) && after !== null);
  if (error && !builds) return <Failure error={error} retry={() => ask({ requestPolicy: 'network-only' })} />;
  if (!builds) return <Skeleton height={160} radius="lg" />;
  if (builds.edges.length === 0 && after === null) {
    return (
      <div className="card">
        <Empty icon={<IconHammer />} title="Not built yet">
          {image.suspended ? 'The image is suspended: resume it in its settings first.' : 'Start the first build by “Build now”, and follow it live.'}
        </Empty>
      </div>
    );
  }
  return (
    <>
      <BuildTable ref={table} label={number === 1 ? 'Builds' : `Builds, page ${number}`} builds={builds.edges.map((edge) => edge.node)} />
      {more && builds.pageInfo.hasNextPage && (
        <Button variant="default" mt="sm" onClick={() => more(builds.pageInfo.endCursor!)}>
          Show older builds
        </Button>
      )}
    </>
  );
}
