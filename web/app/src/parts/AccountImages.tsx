import { Badge, Button, Skeleton, Title } from '@mantine/core';
import IconStack2 from '@tabler/icons-react/dist/esm/icons/IconStack2.mjs';
import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../gql';
import { Empty } from './Empty';
import { Failure } from './Failure';
import { Phase } from './Phase';
import { When } from './time';
import { useArrival } from './useArrival';
import classes from './AccountImages.module.css';

const AccountImagesQuery = graphql(`
  query AccountImages($login: String!, $first: Int!, $after: String) {
    account(login: $login) {
      id
      images(first: $first, after: $after) {
        totalCount
        pageInfo {
          hasNextPage
          endCursor
        }
        edges {
          cursor
          node {
            id
            name
            suspended
            destination
            latestBuild {
              ...BuildRow
            }
          }
        }
      }
    }
  }
`);

const pageSize = 20;

/** An account's images, by name. They are its own: an administrator sees that they are, and no more. */
export function AccountImages({ login }: { login: string }) {
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  return (
    <section className="card" aria-labelledby="images">
      <Title order={2} id="images" className={classes.title}>
        Images
      </Title>
      {cursors.map((after, i) => (
        <Page key={after} login={login} after={after} more={i === cursors.length - 1 ? (cursor) => setCursors([...cursors, cursor]) : undefined} />
      ))}
    </section>
  );
}

function Page({ login, after, more }: { login: string; after: string | null; more?: (cursor: string) => void }) {
  const [{ data, error }, ask] = useQuery({ query: AccountImagesQuery, variables: { login, first: pageSize, after } });
  const images = data?.account?.images;
  const list = useArrival<HTMLUListElement>(Boolean(images) && after !== null);

  if (!images) {
    return (
      <div className={classes.row}>
        {error ? (
          <Failure error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
        ) : (
          <Skeleton height={90} role="status" aria-busy="true" aria-label="Loading the images" />
        )}
      </div>
    );
  }
  if (images.edges.length === 0 && after === null) {
    return (
      <Empty icon={<IconStack2 />} title="No images yet">
        This account has defined none.
      </Empty>
    );
  }
  const { hasNextPage, endCursor } = images.pageInfo;
  return (
    <>
      <ul className={classes.list} ref={list} tabIndex={-1} aria-label={`Images, ${images.totalCount} in all`}>
        {images.edges.map(({ node: { id, name, suspended, destination, latestBuild } }) => (
          <li key={id} className={classes.row}>
            <div className={classes.what}>
              <strong>{name}</strong>{' '}
              {suspended && (
                <Badge variant="default" size="sm" tt="none">
                  Suspended
                </Badge>
              )}
              <div className={classes.quiet}>{destination}</div>
            </div>
            {latestBuild ? (
              <div className={classes.build}>
                <Phase phase={latestBuild.phase} />
                <span className={classes.quiet}>
                  #{latestBuild.number} · <When at={latestBuild.queuedAt} />
                </span>
              </div>
            ) : (
              <span className={classes.quiet}>Never built</span>
            )}
          </li>
        ))}
      </ul>
      {more && hasNextPage && (
        <div className={classes.more}>
          <Button variant="default" onClick={() => more(endCursor!)}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}
