import { Button, Select, Skeleton, TextInput, Title } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import IconPlus from '@tabler/icons-react/dist/esm/icons/IconPlus.mjs';
import IconSearch from '@tabler/icons-react/dist/esm/icons/IconSearch.mjs';
import IconStack2 from '@tabler/icons-react/dist/esm/icons/IconStack2.mjs';
import { useEffect, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useQuery } from 'urql';
import { BuildsChanged } from '../api/builds';
import { useLive } from '../api/useLive';
import { usePageTitle } from '../frame/usePageTitle';
import { graphql } from '../gql';
import type { BuildPhase, ImageFilter, ImageOrder } from '../gql/graphql';
import { Empty } from '../parts/Empty';
import { Failure } from '../parts/Failure';
import { phaseLabel, phases } from '../parts/Phase';
import { useArrival } from '../parts/useArrival';
import { ImageRow } from './ImageRow';
import classes from './Images.module.css';

const ImagesQuery = graphql(`
  query Images($first: Int!, $after: String, $filter: ImageFilter, $orderBy: ImageOrder) {
    viewer {
      id
      images(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        totalCount
        pageInfo {
          hasNextPage
          endCursor
        }
        edges {
          cursor
          node {
            ...ImageRow
          }
        }
      }
    }
  }
`);

const pageSize = 25;

const orders: Record<string, { label: string; order: ImageOrder }> = {
  latest: { label: 'Latest build first', order: { field: 'LATEST_BUILD_AT', direction: 'DESC' } },
  name: { label: 'By name', order: { field: 'NAME', direction: 'ASC' } },
  created: { label: 'Newest first', order: { field: 'CREATED_AT', direction: 'DESC' } },
};

/** The signed-in person's images, with the live state of each one's latest build. Search, filter and order are in the address. */
export function Images() {
  usePageTitle('Images');
  useLive(BuildsChanged, {});
  const [params, setParams] = useSearchParams();
  const name = params.get('q') ?? '';
  const phase = phases.find((each) => each === params.get('phase'));
  const sort = params.get('sort') ?? 'latest';
  const filter: ImageFilter = { ...(name && { nameContains: name }), ...(phase && { latestPhase: [phase] }) };
  const orderBy = (orders[sort] ?? orders.latest)!.order;

  function choose(key: string, value: string | null) {
    setParams(
      (before) => {
        if (value) before.set(key, value);
        else before.delete(key);
        return before;
      },
      { replace: true },
    );
  }

  return (
    <>
      <div className={classes.head}>
        <Title order={1}>Images</Title>
        <Button component={Link} to="/new" leftSection={<IconPlus size={16} />}>
          New image
        </Button>
      </div>
      <Toolbar name={name} phase={phase} sort={sort} choose={choose} />
      <List key={JSON.stringify([filter, orderBy])} filter={filter} orderBy={orderBy} clear={() => setParams({}, { replace: true })} />
    </>
  );
}

type Choose = (key: string, value: string | null) => void;

function Toolbar({ name, phase, sort, choose }: { name: string; phase: BuildPhase | undefined; sort: string; choose: Choose }) {
  const [text, setText] = useState(name);
  const asked = useRef(name);
  const search = useDebouncedCallback((wanted: string) => {
    asked.current = wanted;
    choose('q', wanted);
  }, 250);
  // The address changes without this field, too: by “Show all images”, by a link, by the back button.
  useEffect(() => {
    if (name !== asked.current) {
      search.cancel();
      setText(name);
    }
    asked.current = name;
  }, [name, search]);
  return (
    <div className={classes.toolbar} role="search">
      <TextInput
        className={classes.search}
        aria-label="Search by name"
        placeholder="Search by name"
        type="search"
        leftSection={<IconSearch size={16} />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          search(event.currentTarget.value.trim());
        }}
      />
      <Select
        aria-label="Status of the latest build"
        placeholder="Any status"
        data={phases.map((each) => ({ value: each, label: phaseLabel(each) }))}
        value={phase ?? null}
        onChange={(value) => choose('phase', value)}
        clearable
        w={150}
      />
      <Select
        aria-label="Order"
        data={Object.entries(orders).map(([value, { label }]) => ({ value, label }))}
        value={sort}
        allowDeselect={false}
        onChange={(value) => choose('sort', value === 'latest' ? null : value)}
        w={170}
      />
    </div>
  );
}

type ListProps = { filter: ImageFilter; orderBy: ImageOrder; clear: () => void };

/** The pages of the list so far. Each asks for itself, by the cursor at which the one before ended. */
function List({ filter, orderBy, clear }: ListProps) {
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  return (
    <div className="card">
      {cursors.map((after, i) => (
        <Page
          key={after}
          after={after}
          filter={filter}
          orderBy={orderBy}
          clear={clear}
          more={i === cursors.length - 1 ? (cursor) => setCursors([...cursors, cursor]) : undefined}
        />
      ))}
    </div>
  );
}

function Page({ after, filter, orderBy, clear, more }: ListProps & { after: string | null; more?: (cursor: string) => void }) {
  const [{ data, error }, ask] = useQuery({ query: ImagesQuery, variables: { first: pageSize, after, filter, orderBy } });
  const images = data?.viewer?.images;
  const list = useArrival<HTMLUListElement>(Boolean(images) && after !== null);
  if (error && !images) return <Failure error={error} retry={() => ask({ requestPolicy: 'network-only' })} />;
  if (!images) return <Rows />;
  if (images.edges.length === 0 && after === null) return <NoImages filtered={Object.keys(filter).length > 0} clear={clear} />;
  const { hasNextPage, endCursor } = images.pageInfo;
  return (
    <>
      {after === null && <p className={classes.count}>{images.totalCount === 1 ? '1 image' : `${images.totalCount} images`}</p>}
      <ul className={classes.list} ref={list}>
        {images.edges.map(({ node }) => (
          <ImageRow key={node.id} image={node} />
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

function Rows() {
  return (
    <div className={classes.skeletons} role="status" aria-busy="true" aria-label="Loading the images">
      {[70, 55, 62].map((width) => (
        <Skeleton key={width} height={38} width={`${width}%`} radius="sm" />
      ))}
    </div>
  );
}

function NoImages({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  if (filtered) {
    return (
      <Empty
        icon={<IconSearch />}
        title="No image matches"
        action={
          <Button variant="default" onClick={clear}>
            Show all images
          </Button>
        }
      >
        Try another name, or any status.
      </Empty>
    );
  }
  return (
    <Empty
      icon={<IconStack2 />}
      title="Define your first image"
      action={
        <Button component={Link} to="/new" leftSection={<IconPlus size={16} />}>
          New image
        </Button>
      }
    >
      An image definition says which git repository to build and which registry to push to. Then start a build, and follow it here.
    </Empty>
  );
}
